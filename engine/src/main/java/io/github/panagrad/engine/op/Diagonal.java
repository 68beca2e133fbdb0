package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Sample;
import io.github.panagrad.engine.tape.ViewOp;
import java.util.Arrays;
import java.util.List;

/// The elements whose indices along two dimensions are equal; a view.
///
/// Shapes: (A…, N, B…, N, C…) → (A…, N, B…, C…).
///
/// @param first the dimension that stays, not negative
/// @param second the dimension that goes, after the first
public record Diagonal(int first, int second) implements ViewOp {
    @Override
    public Layout view(Layout in) {
        Shape shape = in.shape();
        if (first >= second || shape.dim(first) != shape.dim(second)) {
            throw new ShapeException(
                    name(),
                    "no diagonal in dimensions " + first + " and " + second,
                    shape.toString(),
                    "two dimensions of one extent, in order",
                    "");
        }
        return in.diagonal(first, second);
    }

    @Override
    public Tensor vjp(Spec in, Tensor dy) {
        int n = in.shape().dim(first);
        int[] square = new int[in.shape().rank()];
        Arrays.fill(square, 1);
        square[first] = n;
        square[second] = n;
        Tensor eye = Ops.eye(n).to(dy.dtype()).to(dy.device()).reshape(square);
        return dy.reshape(dy.shape().insert(second, 1).toArray()).mul(eye);
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Diagonal(0, 1), Arg.uniform(-2, 2, 5, 5)),
                Sample.of(new Diagonal(1, 3), Arg.uniform(-2, 2, 2, 3, 2, 3)));
    }
}
