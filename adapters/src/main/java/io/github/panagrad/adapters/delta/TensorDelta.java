package io.github.panagrad.adapters.delta;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;

/// The change of one parameter, in F32 on the host. Immutable.
public sealed interface TensorDelta permits DenseDelta, LowRankDelta, SparseDelta {
    /// Returns the shape of the parameter.
    Shape shape();

    /// Returns how many numbers the change is made of; the places of sparse ones are not counted.
    long stored();

    /// Returns the change as one number an element. Shapes: that of the parameter.
    Tensor dense();

    /// Returns the change multiplied by a number, in the same form.
    TensorDelta times(double factor);

    /// Returns both changes together: sparse ones stay sparse, low-rank ones low-rank as long as that
    /// takes less memory, anything else gets dense.
    ///
    /// @throws ShapeException if the other is of another shape
    default TensorDelta plus(TensorDelta other) {
        requireSameShape(other);
        return switch (this) {
            case SparseDelta a when other instanceof SparseDelta b -> a.union(b);
            case LowRankDelta a when other instanceof LowRankDelta b && a.staysSmall(b) ->
                    a.beside(b);
            default -> new DenseDelta(HostTensors.kept(() -> dense().add(other.dense())));
        };
    }

    private void requireSameShape(TensorDelta other) {
        if (!other.shape().equals(shape())) {
            throw new ShapeException(
                    "delta", "shapes differ", "" + other.shape(), "" + shape(), "");
        }
    }
}
