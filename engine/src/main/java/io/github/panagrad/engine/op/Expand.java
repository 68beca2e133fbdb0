package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Sample;
import io.github.panagrad.engine.tape.ViewOp;
import java.util.List;

/// Repetition of extents of 1, and of the whole in new leading dimensions; a view with stride 0.
///
/// @param target the shape to broadcast to
public record Expand(Shape target) implements ViewOp {
    @Override
    public Layout view(Layout in) {
        if (in.shape().rank() > target.rank()
                || !Shape.broadcast(name(), in.shape(), target).equals(target)) {
            throw new ShapeException(
                    name(),
                    "does not broadcast",
                    in.shape() + " to " + target,
                    "extents that are equal or 1 in the operand",
                    "");
        }
        return in.expand(target);
    }

    @Override
    public Tensor vjp(Spec in, Tensor dy) {
        return dy.sumTo(in.shape());
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Expand(Shape.of(4, 3)), Arg.uniform(-2, 2, 3)),
                Sample.of(new Expand(Shape.of(2, 4, 3)), Arg.uniform(-2, 2, 4, 1)));
    }
}
