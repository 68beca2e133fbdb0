package io.github.panagrad.nn.models;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Scope;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ModuleList;
import io.github.panagrad.nn.io.LlamaConfig;
import io.github.panagrad.nn.layers.Embedding;
import io.github.panagrad.nn.layers.RmsNorm;
import java.util.stream.IntStream;

/// A stack of [DecoderLayer]s between an embedding and a last normalisation.
final class Decoder extends Module {
    private final Embedding embedding;
    private final ModuleList<DecoderLayer> layers;
    private final RmsNorm norm;

    Decoder(LlamaConfig config, Init init, Rng rng) {
        var rotary = new Rotary(config);
        embedding =
                register(
                        "embed_tokens",
                        new Embedding(config.vocabSize(), config.hiddenSize(), init, rng));
        layers =
                register(
                        "layers",
                        new ModuleList<>(
                                IntStream.range(0, config.layers())
                                        .mapToObj(
                                                i -> new DecoderLayer(config, i, rotary, init, rng))
                                        .toList()));
        norm = register("norm", new RmsNorm(config.hiddenSize(), config.rmsNormEps()));
    }

    Embedding embedding() {
        return embedding;
    }

    /// Computes the last hidden state. Shapes: ids (B, T) → (B, T, C).
    ///
    /// Every layer has a memory scope and a generator of its own.
    Tensor hidden(Tensor ids, Context context, boolean recompute) {
        Tensor h = embedding.call(ids, context);
        for (int i = 0; i < layers.size(); i++) {
            DecoderLayer layer = layers.get(i);
            int index = i;
            Tensor x = h;
            h =
                    Scope.scope(
                            layer.path(),
                            () ->
                                    recompute
                                            ? Ops.checkpoint(
                                                    in -> layer.call(in, context.fork(index)), x)
                                            : layer.call(x, context.fork(index)));
        }
        return norm.call(h, context);
    }
}
