package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;

/// Vectors of numbers beside a tensor: of its type, on its device.
final class Vectors {
    private Vectors() {}

    static Tensor like(Tensor tensor, double[] values) {
        return Ops.tensor64(values, values.length).to(tensor.dtype()).to(tensor.device());
    }
}
