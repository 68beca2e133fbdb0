package io.github.panagrad.engine.spi;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Shape;

/// The shape and dtype of an operand or a result.
public record Spec(Shape shape, DType dtype) {
    /// Returns the same dtype with another shape.
    public Spec with(Shape other) {
        return new Spec(other, dtype);
    }

    /// Returns the same shape with another dtype.
    public Spec with(DType other) {
        return new Spec(shape, other);
    }

    /// Returns the same shape with the dtype that ops compute in.
    public Spec widened() {
        return dtype.isFloating() || dtype == DType.I8 ? with(dtype.widened()) : this;
    }

    /// Returns the same shape with the dtype that sums have: truth values are counted.
    public Spec summed() {
        return dtype == DType.BOOL ? with(DType.I32) : widened();
    }

    /// Returns the notation of messages, such as `f32[2,3]`.
    @Override
    public String toString() {
        return dtype.label() + shape;
    }
}
