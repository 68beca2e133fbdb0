package io.github.panagrad.nn.layers;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Layer;
import org.jspecify.annotations.Nullable;

/// A linear map, y = x·Wᵀ + b.
///
/// Shapes: x (…, in), weight (out, in), bias (out) → (…, out).
public final class Linear extends Layer {
    private final Parameter weight;
    private final @Nullable Parameter bias;

    /// Creates a linear map; the bias, if wanted, starts at zero.
    public Linear(int in, int out, boolean withBias, Init init, Rng rng) {
        weight = parameter("weight", init.draw(Shape.of(out, in), rng));
        bias = withBias ? parameter("bias", Init.zeros().draw(Shape.of(out), rng)) : null;
    }

    /// Creates a linear map with bias and Kaiming's uniform weights, ±1/√in.
    public Linear(int in, int out, Rng rng) {
        this(in, out, true, Init.kaimingUniform(Math.sqrt(5)), rng);
    }

    private Linear(Parameter tied) {
        weight = share("weight", tied);
        bias = null;
    }

    /// Creates a linear map without bias over another module's weight, such as the embedding's.
    public static Linear tied(Parameter weight) {
        return new Linear(weight);
    }

    /// Returns the weight. Shapes: (out, in).
    public Parameter weight() {
        return weight;
    }

    /// Returns the weight that the layer works with, what interceptors change of it included; null if
    /// one of them does more than that. Shapes: (out, in).
    public @Nullable Tensor effectiveWeight() {
        return intercepted(weight);
    }

    /// Returns the bias, null if there is none. Shapes: (out).
    public @Nullable Parameter bias() {
        return bias;
    }

    /// Returns the extent of the input.
    public int in() {
        return weight.dim(1);
    }

    /// Returns the extent of the output.
    public int out() {
        return weight.dim(0);
    }

    @Override
    protected Tensor forward(Tensor x, Context context) {
        return Ops.linear(x, weight, bias);
    }

    @Override
    protected String describe() {
        return "Linear(" + in() + " → " + out() + (bias == null ? "" : ", bias") + ")";
    }
}
