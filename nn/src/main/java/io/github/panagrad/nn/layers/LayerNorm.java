package io.github.panagrad.nn.layers;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Layer;

/// Normalisation by mean and variance over the last dimension (Ba et al., arXiv 1607.06450).
///
/// Shapes: x (…, C), weight and bias (C) → (…, C).
public final class LayerNorm extends Layer {
    private final Parameter weight;
    private final Parameter bias;
    private final double eps;

    /// Creates a normalisation over `width` numbers with weights of one and biases of zero.
    public LayerNorm(int width, double eps) {
        this.weight = parameter("weight", Ops.ones(width));
        this.bias = parameter("bias", Ops.zeros(width));
        this.eps = eps;
    }

    @Override
    protected Tensor forward(Tensor x, Context context) {
        return Ops.layerNorm(x, weight, bias, eps);
    }

    @Override
    protected String describe() {
        return "LayerNorm(" + weight.dim(0) + ")";
    }
}
