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

/// Zeros with rows added along one dimension by number: the reverse of [IndexSelect], the gradient
/// of an embedding. Rows of one number add up in their order.
///
/// Shapes: x (A…, K, Z…), index I32 (K) → (A…, extent, Z…).
///
/// @param dim the dimension, not negative
/// @param extent its extent in the result
public record IndexAdd(int dim, int extent) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        Spec x = in.get(0);
        if (!in.get(1).dtype().isIndex()
                || !in.get(1).shape().equals(Shape.of(x.shape().dim(dim)))) {
            throw new ShapeException(
                    name(),
                    "index does not fit",
                    in.get(1) + " for " + x,
                    "i32[" + x.shape().dim(dim) + "]",
                    "");
        }
        return List.of(x.widened().with(x.shape().with(dim, extent)));
    }

    @Override
    public void eval(View[] in, View[] out) {
        Shape shape = in[0].shape();
        int inner = shape.product(dim + 1, shape.rank());
        int k = shape.dim(dim);
        double[] sums = new double[out[0].shape().intSize()];
        for (long i = 0; i < shape.size(); i++) {
            long line = i / inner;
            int at = Gather.checked(name(), in[1].getLong(line % k), extent);
            sums[(int) ((line / k * extent + at) * inner + i % inner)] += in[0].get(i);
        }
        for (int i = 0; i < sums.length; i++) {
            out[0].set(i, sums[i]);
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        return new @Nullable Tensor[] {
            Tape.one(new IndexSelect(dim), node.grad(dy, 0), node.input(1)), null
        };
    }

    @Override
    public boolean savesInput(int i) {
        return i == 1;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new IndexAdd(0, 5), Arg.uniform(-2, 2, 9, 17), Arg.index(5, 9)),
                Sample.of(new IndexAdd(0, 40), Arg.uniform(-2, 2, 3, 16), Arg.index(40, 3)),
                Sample.of(new IndexAdd(1, 4), Arg.uniform(-2, 2, 2, 6, 3), Arg.index(4, 6)));
    }
}
