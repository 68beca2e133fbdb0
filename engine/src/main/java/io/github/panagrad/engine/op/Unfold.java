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

/// Windows that slide along one dimension; a view, in which windows share their elements.
///
/// Shapes: (A…, T, B…) → (A…, L, B…, size), L = ⌊(T − dilation·(size−1) − 1)/step⌋ + 1.
///
/// @param dim the dimension, not negative
/// @param size the number of elements in a window
/// @param step how far apart windows start
/// @param dilation how far apart a window's elements are
public record Unfold(int dim, int size, int step, int dilation) implements ViewOp {
    @Override
    public Layout view(Layout in) {
        int extent = in.shape().dim(dim);
        if (size < 1 || step < 1 || dilation < 1 || (size - 1L) * dilation >= extent) {
            throw new ShapeException(
                    name(),
                    "no such windows in dimension " + dim + " of " + in.shape(),
                    "size " + size + ", step " + step + ", dilation " + dilation,
                    "positive numbers and a window no longer than " + extent,
                    "");
        }
        int windows = (extent - (size - 1) * dilation - 1) / step + 1;
        return in.unfold(dim, windows, step, size, dilation);
    }

    @Override
    public Tensor vjp(Spec in, Tensor dy) {
        return Tape.one(new Fold(dim, step, dilation, in.shape().dim(dim)), dy);
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Unfold(0, 3, 1, 1), Arg.uniform(-2, 2, 7)),
                Sample.of(new Unfold(1, 2, 3, 1), Arg.uniform(-2, 2, 2, 9)),
                Sample.of(new Unfold(1, 3, 2, 2), Arg.uniform(-2, 2, 2, 9, 3)));
    }
}
