package io.github.panagrad.adapters.delta;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Shape;

/// A change of every element of a parameter.
public final class DenseDelta implements TensorDelta {
    private final Tensor values;

    /// Takes over an F32 tensor on the host that no scope releases and nobody writes to.
    DenseDelta(Tensor values) {
        this.values = values;
    }

    /// Creates a change from a copy of its values. Shapes: that of the parameter.
    public static DenseDelta of(Tensor values) {
        return new DenseDelta(HostTensors.copy(values));
    }

    @Override
    public Shape shape() {
        return values.shape();
    }

    @Override
    public long stored() {
        return values.size();
    }

    @Override
    public Tensor dense() {
        return values;
    }

    @Override
    public DenseDelta times(double factor) {
        return new DenseDelta(HostTensors.kept(() -> values.mul(factor)));
    }
}
