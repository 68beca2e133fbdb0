package io.github.panagrad.adapters.delta;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;

/// A change of a matrix that is the product of a tall and a wide one.
public final class LowRankDelta implements TensorDelta {
    private final Tensor left;
    private final Tensor right;

    /// Takes over F32 tensors on the host that no scope releases and nobody writes to.
    private LowRankDelta(Tensor left, Tensor right) {
        this.left = left;
        this.right = right;
    }

    /// Creates a change from copies of its factors. Shapes: left (out, r), right (r, in).
    ///
    /// @throws ShapeException if they cannot be multiplied
    public static LowRankDelta of(Tensor left, Tensor right) {
        if (left.rank() != 2 || right.rank() != 2 || left.dim(1) != right.dim(0)) {
            throw new ShapeException(
                    "low-rank delta",
                    "factors do not fit each other",
                    left.shape() + " and " + right.shape(),
                    "[out,r] and [r,in]",
                    "");
        }
        return new LowRankDelta(HostTensors.copy(left), HostTensors.copy(right));
    }

    /// Returns the tall factor. Shapes: (out, r).
    public Tensor left() {
        return left;
    }

    /// Returns the wide factor. Shapes: (r, in).
    public Tensor right() {
        return right;
    }

    /// Returns r, the number of columns of the tall factor.
    public int rank() {
        return left.dim(1);
    }

    @Override
    public Shape shape() {
        return Shape.of(left.dim(0), right.dim(1));
    }

    @Override
    public long stored() {
        return left.size() + right.size();
    }

    @Override
    public Tensor dense() {
        return HostTensors.kept(() -> left.matmul(right));
    }

    @Override
    public LowRankDelta times(double factor) {
        return new LowRankDelta(HostTensors.kept(() -> left.mul(factor)), right);
    }

    boolean staysSmall(LowRankDelta other) {
        return stored() + other.stored() < shape().size();
    }

    /// Returns the sum of the products, one of the ranks added up.
    LowRankDelta beside(LowRankDelta other) {
        return new LowRankDelta(
                HostTensors.kept(() -> Ops.concat(1, left, other.left)),
                HostTensors.kept(() -> Ops.concat(0, right, other.right)));
    }
}
