package io.github.panagrad.nn.models;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.io.Activation;
import io.github.panagrad.nn.io.BertConfig;
import io.github.panagrad.nn.layers.Dropout;
import io.github.panagrad.nn.layers.LayerNorm;
import io.github.panagrad.nn.layers.Linear;

/// One block of BERT: attention and feed-forward part, each added to its input and then normalised
/// (Devlin et al., arXiv 1810.04805).
///
/// Shapes: (B, T, C) → (B, T, C).
final class BertLayer extends Layer {
    private final Attention attention;
    private final Linear widen;
    private final Linear narrow;
    private final LayerNorm norm;
    private final Dropout dropout;
    private final Activation activation;

    BertLayer(BertConfig config, Init init, Rng rng) {
        int width = config.hiddenSize();
        int inner = config.intermediateSize();
        activation = config.activation();
        attention = register("attention", new Attention(config, init, rng));
        widen = register("intermediate.dense", new Linear(width, inner, true, init, rng));
        narrow = register("output.dense", new Linear(inner, width, true, init, rng));
        dropout = register("output.dropout", new Dropout(config.hiddenDropout()));
        norm = register("output.LayerNorm", new LayerNorm(width, config.layerNormEps()));
    }

    @Override
    protected Tensor forward(Tensor x, Context context) {
        Tensor h = attention.call(x, context);
        Tensor inner = Activations.apply(activation, widen.call(h, context));
        Tensor y = dropout.call(narrow.call(inner, context), context);
        return norm.call(y.add(h), context);
    }

    /// Attention with what follows it in the block.
    private static final class Attention extends Layer {
        private final Heads heads;
        private final Linear dense;
        private final Dropout dropout;
        private final LayerNorm norm;

        Attention(BertConfig config, Init init, Rng rng) {
            int width = config.hiddenSize();
            heads = register("self", new Heads(config, init, rng));
            dense = register("output.dense", new Linear(width, width, true, init, rng));
            dropout = register("output.dropout", new Dropout(config.hiddenDropout()));
            norm = register("output.LayerNorm", new LayerNorm(width, config.layerNormEps()));
        }

        @Override
        protected Tensor forward(Tensor x, Context context) {
            Tensor y = dense.call(heads.call(x, context), context);
            return norm.call(dropout.call(y, context).add(x), context);
        }
    }

    /// The heads of attention.
    private static final class Heads extends Layer {
        private final int count;
        private final Linear query;
        private final Linear key;
        private final Linear value;

        Heads(BertConfig config, Init init, Rng rng) {
            int width = config.hiddenSize();
            count = config.heads();
            query = register("query", new Linear(width, width, true, init, rng));
            key = register("key", new Linear(width, width, true, init, rng));
            value = register("value", new Linear(width, width, true, init, rng));
        }

        @Override
        protected Tensor forward(Tensor x, Context context) {
            Tensor k = split(key.call(x, context));
            Tensor v = split(value.call(x, context));
            KeyValuePrefix prefix = context.find(KeyValuePrefix.KEY);
            if (prefix != null) {
                k = KeyValuePrefix.before(prefix.keys(), k);
                v = KeyValuePrefix.before(prefix.values(), v);
            }
            Tensor y =
                    Ops.attention(
                            split(query.call(x, context)),
                            k,
                            v,
                            context.get(Sequence.KEY).attention());
            return y.reshape(x.shape().toArray());
        }

        private Tensor split(Tensor x) {
            return x.reshape(x.dim(0), x.dim(1), count, x.dim(2) / count);
        }
    }
}
