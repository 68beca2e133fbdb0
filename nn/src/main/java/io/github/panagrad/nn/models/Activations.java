package io.github.panagrad.nn.models;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.io.Activation;

/// The functions that configs name.
final class Activations {
    private Activations() {}

    static Tensor apply(Activation activation, Tensor x) {
        return switch (activation) {
            case SILU -> Ops.silu(x);
            case GELU -> Ops.gelu(x);
            case GELU_TANH -> Ops.geluTanh(x);
            case RELU -> x.relu();
        };
    }
}
