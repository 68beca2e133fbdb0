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

/// Another shape for the same elements in the same order; [Tensor#reshape] copies first where
/// strides forbid a view.
///
/// @param target the new extents, with as many elements
public record Reshape(Shape target) implements ViewOp {
    @Override
    public Layout view(Layout in) {
        if (in.shape().size() != target.size()) {
            throw new ShapeException(
                    name(),
                    "numbers of elements differ",
                    in.shape() + " to " + target,
                    in.shape().size() + " elements",
                    "");
        }
        Layout view = in.reshape(target);
        if (view == null) {
            throw new ShapeException(
                    name(), "strides do not allow a view", in.toString(), "", "call contiguous()");
        }
        return view;
    }

    @Override
    public Tensor vjp(Spec in, Tensor dy) {
        return dy.reshape(in.shape().toArray());
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Reshape(Shape.of(6)), Arg.uniform(-2, 2, 2, 3)),
                Sample.of(new Reshape(Shape.of(2, 1, 3)), Arg.uniform(-2, 2, 6)));
    }
}
