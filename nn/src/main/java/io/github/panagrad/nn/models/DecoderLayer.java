package io.github.panagrad.nn.models;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.io.LlamaConfig;
import io.github.panagrad.nn.layers.RmsNorm;

/// One block of the Llama family: attention and feed-forward part, each on the normalised input and
/// added to it.
///
/// Shapes: (B, T, C) → (B, T, C).
final class DecoderLayer extends Layer {
    private final RmsNorm inputNorm;
    private final SelfAttention attention;
    private final RmsNorm attentionNorm;
    private final GatedMlp mlp;

    DecoderLayer(LlamaConfig config, int index, Rotary rotary, Init init, Rng rng) {
        inputNorm =
                register("input_layernorm", new RmsNorm(config.hiddenSize(), config.rmsNormEps()));
        attention = register("self_attn", new SelfAttention(config, index, rotary, init, rng));
        attentionNorm =
                register(
                        "post_attention_layernorm",
                        new RmsNorm(config.hiddenSize(), config.rmsNormEps()));
        mlp = register("mlp", new GatedMlp(config, init, rng));
    }

    @Override
    protected Tensor forward(Tensor x, Context context) {
        Tensor h = x.add(attention.call(inputNorm.call(x, context), context));
        return h.add(mlp.call(attentionNorm.call(h, context), context));
    }
}
