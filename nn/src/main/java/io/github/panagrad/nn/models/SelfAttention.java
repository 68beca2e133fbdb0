package io.github.panagrad.nn.models;

import io.github.panagrad.engine.AttentionOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.RopeTable;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.io.LlamaConfig;
import io.github.panagrad.nn.layers.Linear;
import io.github.panagrad.nn.layers.RmsNorm;
import org.jspecify.annotations.Nullable;

/// Self-attention of the Llama family: rotary positions, grouped-query heads, and as the config
/// says biases, normalised queries and keys, and a sliding window.
///
/// Shapes: (B, T, C) → (B, T, C).
final class SelfAttention extends Layer {
    private final int index;
    private final int heads;
    private final int keyHeads;
    private final int channels;
    private final int window;
    private final Rotary rotary;
    private final Linear qProj;
    private final Linear kProj;
    private final Linear vProj;
    private final Linear oProj;
    private final @Nullable RmsNorm qNorm;
    private final @Nullable RmsNorm kNorm;

    SelfAttention(LlamaConfig config, int index, Rotary rotary, Init init, Rng rng) {
        this.index = index;
        this.heads = config.heads();
        this.keyHeads = config.kvHeads();
        this.channels = config.headDim();
        this.window = config.window(index);
        this.rotary = rotary;
        int width = config.hiddenSize();
        qProj = linear("q_proj", width, heads * channels, config.qkvBias(), init, rng);
        kProj = linear("k_proj", width, keyHeads * channels, config.qkvBias(), init, rng);
        vProj = linear("v_proj", width, keyHeads * channels, config.qkvBias(), init, rng);
        oProj = linear("o_proj", heads * channels, width, config.outputBias(), init, rng);
        boolean norms = config.qkNorm();
        qNorm = norms ? register("q_norm", new RmsNorm(channels, config.rmsNormEps())) : null;
        kNorm = norms ? register("k_norm", new RmsNorm(channels, config.rmsNormEps())) : null;
    }

    private Linear linear(String name, int in, int out, boolean bias, Init init, Rng rng) {
        return register(name, new Linear(in, out, bias, init, rng));
    }

    @Override
    protected Tensor forward(Tensor x, Context context) {
        Sequence sequence = context.get(Sequence.KEY);
        RopeTable table = rotary.table(x);
        Tensor q = turned(qProj.call(x, context), heads, qNorm, table, sequence, context);
        Tensor k = turned(kProj.call(x, context), keyHeads, kNorm, table, sequence, context);
        Tensor v = split(vProj.call(x, context), keyHeads);
        AttentionOptions options = sequence.attention();
        KvCache cache = sequence.cache();
        if (cache != null) {
            int count = x.dim(1);
            cache.append(index, k, v);
            k = cache.keys(index, count);
            v = cache.values(index, count);
        }
        KeyValuePrefix prefix = context.find(KeyValuePrefix.KEY);
        if (prefix != null) {
            requireSight(options);
            k = KeyValuePrefix.before(prefix.keys(), k);
            v = KeyValuePrefix.before(prefix.values(), v);
        }
        Tensor y = Ops.attention(q, k, v, window > 0 ? options.window(window) : options);
        return oProj.call(y.reshape(x.dim(0), x.dim(1), heads * channels), context);
    }

    /// A window counts keys, and with several sequences in a row others lie between one and its prefix.
    private void requireSight(AttentionOptions options) {
        if (window > 0 && options.segments() != null) {
            throw new PanagradException(
                    "attention",
                    "a window of keys does not reach the prefix of packed rows",
                    "window " + window,
                    "one sequence a row",
                    "batch without packing");
        }
    }

    private Tensor turned(
            Tensor x,
            int count,
            @Nullable RmsNorm norm,
            RopeTable table,
            Sequence sequence,
            Context context) {
        Tensor split = split(x, count);
        Tensor scaled = norm == null ? split : norm.call(split, context);
        return Ops.rope(scaled, table, sequence.positions());
    }

    private Tensor split(Tensor x, int count) {
        return x.reshape(x.dim(0), x.dim(1), count, channels);
    }

    @Override
    protected String describe() {
        return "SelfAttention("
                + heads
                + " heads × "
                + channels
                + (keyHeads == heads ? "" : ", " + keyHeads + " for keys")
                + (window > 0 ? ", window " + window : "")
                + ")";
    }
}
