package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import io.github.panagrad.engine.tape.Tape;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Elements picked along one dimension, y[…, i, …] = x[…, index[…, i, …], …].
///
/// Shapes: x (*), index I32 with the extents of x but along `dim` → that of the index.
///
/// @param dim the dimension, not negative
public record Gather(int dim) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        Shape x = in.get(0).shape();
        Shape index = in.get(1).shape();
        if (!in.get(1).dtype().isIndex()
                || x.rank() != index.rank()
                || !x.with(dim, 1).equals(index.with(dim, 1))) {
            throw new ShapeException(
                    name(),
                    "index does not fit",
                    in.get(1) + " for " + in.get(0),
                    "an i32 index with extents that differ in dimension " + dim + " only",
                    "");
        }
        return List.of(in.get(0).widened().with(index));
    }

    @Override
    public void eval(View[] in, View[] out) {
        Shape shape = out[0].shape();
        int inner = shape.product(dim + 1, shape.rank());
        int n = in[0].dim(dim);
        for (long i = 0; i < shape.size(); i++) {
            long line = i / ((long) inner * shape.dim(dim));
            int at = checked(name(), in[1].getLong(i), n);
            out[0].set(i, in[0].get((line * n + at) * inner + i % inner));
        }
    }

    /// Returns an index as an int.
    ///
    /// @throws ShapeException if it is out of range
    public static int checked(String op, long index, int bound) {
        if (index < 0 || index >= bound) {
            throw new ShapeException(
                    op, "index out of range", Long.toString(index), "0 to " + (bound - 1), "");
        }
        return (int) index;
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        return new @Nullable Tensor[] {
            Tape.one(
                    new ScatterAdd(dim, node.inputSpec(0).shape().dim(dim)),
                    node.grad(dy, 0),
                    node.input(1)),
            null
        };
    }

    @Override
    public boolean savesInput(int i) {
        return i == 1;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Gather(1), Arg.uniform(-2, 2, 3, 7), Arg.index(7, 3, 2)),
                Sample.of(new Gather(0), Arg.uniform(-2, 2, 5), Arg.index(5, 9)),
                Sample.of(new Gather(1), Arg.uniform(-2, 2, 2, 4, 3), Arg.index(4, 2, 6, 3)));
    }
}
