package io.github.panagrad.nn.layers;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Layer;

/// Root-mean-square normalisation over the last dimension (Zhang, Sennrich, arXiv 1910.07467).
///
/// Shapes: x (…, C), weight (C) → (…, C).
public final class RmsNorm extends Layer {
    private final Parameter weight;
    private final double eps;

    /// Creates a normalisation over `width` numbers with weights of one.
    public RmsNorm(int width, double eps) {
        this.weight = parameter("weight", Ops.ones(width));
        this.eps = eps;
    }

    @Override
    protected Tensor forward(Tensor x, Context context) {
        return Ops.rmsNorm(x, weight, eps);
    }

    @Override
    protected String describe() {
        return "RmsNorm(" + weight.dim(0) + ")";
    }
}
