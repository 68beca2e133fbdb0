package io.github.panagrad.losses;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;

/// Vectors of numbers beside a tensor: of its type, on its device.
final class Constants {
    private Constants() {}

    static Tensor like(Tensor tensor, double[] values) {
        return Ops.tensor(tensor.dtype(), values, values.length).to(tensor.device());
    }
}
