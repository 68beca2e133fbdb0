package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Sample;
import io.github.panagrad.engine.tape.Tape;
import io.github.panagrad.engine.tape.ViewOp;
import java.util.List;

/// Every `step`-th element of one dimension from `start`; a view.
///
/// @param dim the dimension, may be negative
/// @param start the first element
/// @param length how many elements
/// @param step how far apart, at least 1
public record Slice(int dim, int start, int length, int step) implements ViewOp {
    @Override
    public Layout view(Layout in) {
        int extent = in.shape().dim(dim);
        if (start < 0
                || length < 0
                || step < 1
                || start + (length - 1L) * step >= extent && length > 0) {
            throw new ShapeException(
                    name(),
                    "out of range in dimension " + dim + " of " + in.shape(),
                    "start " + start + ", length " + length + ", step " + step,
                    "elements 0 to " + (extent - 1) + " and a step of at least 1",
                    "");
        }
        return in.slice(dim, start, length, step);
    }

    @Override
    public Tensor vjp(Spec in, Tensor dy) {
        return Tape.one(new Unslice(in.shape().axis(dim), start, step, in.shape().dim(dim)), dy);
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Slice(0, 2, 3, 1), Arg.uniform(-2, 2, 7)),
                Sample.of(new Slice(-1, 1, 4, 2), Arg.uniform(-2, 2, 2, 9)),
                Sample.of(new Slice(1, 0, 2, 1), Arg.uniform(-2, 2, 2, 5, 3)));
    }
}
