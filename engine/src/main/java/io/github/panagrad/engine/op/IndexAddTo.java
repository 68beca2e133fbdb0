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

/// Rows added along one dimension by number to what is there: [IndexAdd] for a sum that has begun.
/// The result may share memory with the first input.
///
/// Shapes: sum (A…, N, Z…), x (A…, K, Z…), index I32 (K) → (A…, N, Z…).
///
/// @param dim the dimension, not negative
public record IndexAddTo(int dim) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        Shape sum = in.get(0).shape();
        Shape x = in.get(1).shape();
        if (!x.equals(sum.with(dim, x.dim(dim)))
                || !in.get(2).dtype().isIndex()
                || !in.get(2).shape().equals(Shape.of(x.dim(dim)))) {
            throw new ShapeException(
                    name(),
                    "operands do not fit",
                    in.get(1) + " and index " + in.get(2) + " for " + in.get(0),
                    "rows of the sum, and a number for each",
                    "");
        }
        return List.of(in.getFirst());
    }

    @Override
    public void eval(View[] in, View[] out) {
        Shape shape = in[1].shape();
        int inner = shape.product(dim + 1, shape.rank());
        int k = shape.dim(dim);
        int extent = in[0].dim(dim);
        int n = in[0].size();
        double[] sums = new double[n];
        for (int i = 0; i < n; i++) {
            sums[i] = in[0].get(i);
        }
        for (long i = 0; i < shape.size(); i++) {
            long line = i / inner;
            int at = Gather.checked(name(), in[2].getLong(line % k), extent);
            sums[(int) ((line / k * extent + at) * inner + i % inner)] += in[1].get(i);
        }
        for (int i = 0; i < n; i++) {
            out[0].set(i, sums[i]);
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        Tensor d = node.grad(dy, 0);
        return new @Nullable Tensor[] {d, Tape.one(new IndexSelect(dim), d, node.input(2)), null};
    }

    @Override
    public boolean savesInput(int i) {
        return i == 2;
    }

    public static List<Sample> samples() {
        return List.of(
                sample(0, Arg.uniform(-2, 2, 5, 17), Arg.uniform(-2, 2, 9, 17), Arg.index(5, 9)),
                sample(0, Arg.uniform(-2, 2, 40, 16), Arg.uniform(-2, 2, 3, 16), Arg.index(40, 3)),
                sample(
                        1,
                        Arg.uniform(-2, 2, 2, 4, 3),
                        Arg.uniform(-2, 2, 2, 6, 3),
                        Arg.index(4, 6)));
    }

    private static Sample sample(int dim, Arg sum, Arg x, Arg index) {
        return Sample.of(new IndexAddTo(dim), sum, x, index);
    }
}
