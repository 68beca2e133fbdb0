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

/// Zeros with elements added along one dimension, y[…, index[…, i, …], …] += x[…, i, …]: the
/// reverse of [Gather].
///
/// Shapes: x (*), index I32 of the same extents → x with `extent` along `dim`.
///
/// @param dim the dimension, not negative
/// @param extent its extent in the result
public record ScatterAdd(int dim, int extent) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        if (!in.get(1).dtype().isIndex() || !in.get(0).shape().equals(in.get(1).shape())) {
            throw new ShapeException(
                    name(),
                    "index does not fit",
                    in.get(1) + " for " + in.get(0),
                    "an i32 index of the operand's shape",
                    "");
        }
        return List.of(in.get(0).widened().with(in.get(0).shape().with(dim, extent)));
    }

    @Override
    public void eval(View[] in, View[] out) {
        Shape shape = in[0].shape();
        int inner = shape.product(dim + 1, shape.rank());
        double[] sums = new double[out[0].shape().intSize()];
        for (long i = 0; i < shape.size(); i++) {
            long line = i / ((long) inner * shape.dim(dim));
            int at = Gather.checked(name(), in[1].getLong(i), extent);
            sums[(int) ((line * extent + at) * inner + i % inner)] += in[0].get(i);
        }
        for (int i = 0; i < sums.length; i++) {
            out[0].set(i, sums[i]);
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        return new @Nullable Tensor[] {
            Tape.one(new Gather(dim), node.grad(dy, 0), node.input(1)), null
        };
    }

    @Override
    public boolean savesInput(int i) {
        return i == 1;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new ScatterAdd(1, 7), Arg.uniform(-2, 2, 3, 9), Arg.index(7, 3, 9)),
                Sample.of(new ScatterAdd(0, 5), Arg.uniform(-2, 2, 9), Arg.index(5, 9)));
    }
}
