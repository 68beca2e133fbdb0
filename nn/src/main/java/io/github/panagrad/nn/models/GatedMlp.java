package io.github.panagrad.nn.models;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.io.Activation;
import io.github.panagrad.nn.io.LlamaConfig;
import io.github.panagrad.nn.layers.Linear;

/// The feed-forward part of the Llama family: down(silu(gate(x)) · up(x)) (Shazeer,
/// arXiv 2002.05202).
///
/// Shapes: (B, T, C) → (B, T, C).
final class GatedMlp extends Layer {
    private final Activation activation;
    private final Linear gate;
    private final Linear up;
    private final Linear down;

    GatedMlp(LlamaConfig config, Init init, Rng rng) {
        activation = config.activation();
        int width = config.hiddenSize();
        int inner = config.intermediateSize();
        boolean bias = config.mlpBias();
        gate = register("gate_proj", new Linear(width, inner, bias, init, rng));
        up = register("up_proj", new Linear(width, inner, bias, init, rng));
        down = register("down_proj", new Linear(inner, width, bias, init, rng));
    }

    @Override
    protected Tensor forward(Tensor x, Context context) {
        Tensor gated = gate.call(x, context);
        Tensor widened = up.call(x, context);
        Tensor inner =
                activation == Activation.SILU
                        ? Ops.swiglu(gated, widened)
                        : Activations.apply(activation, gated).mul(widened);
        return down.call(inner, context);
    }
}
