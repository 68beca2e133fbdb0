package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Index of the greatest or least value over one dimension, which stays with extent 1; the first of
/// several. Shapes: (*) → I32 (*).
///
/// @param max the greatest, else the least
/// @param dim the dimension, not negative
public record ArgExtremum(boolean max, int dim) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        Shape shape = in.getFirst().shape();
        if (shape.dim(dim) == 0) {
            throw new ShapeException(
                    name(),
                    "nothing to choose from",
                    in.getFirst().toString(),
                    "a dimension that is not empty",
                    "");
        }
        return List.of(new Spec(shape.with(dim, 1), DType.I32));
    }

    @Override
    public void eval(View[] in, View[] out) {
        int n = in[0].dim(dim);
        for (long i = 0; i < out[0].shape().size(); i++) {
            int best = 0;
            double value = in[0].get(element(in[0].shape(), dim, i, 0));
            for (int j = 1; j < n; j++) {
                double x = in[0].get(element(in[0].shape(), dim, i, j));
                if (max ? x > value : x < value) {
                    best = j;
                    value = x;
                }
            }
            out[0].setLong(i, best);
        }
    }

    /// Returns the row-major number of element `j` along `dim` in the `i`-th line along it.
    static long element(Shape shape, int dim, long i, int j) {
        int inner = shape.product(dim + 1, shape.rank());
        return (i / inner * shape.dim(dim) + j) * inner + i % inner;
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        throw new IllegalStateException("indices have no gradient");
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new ArgExtremum(true, 0), Arg.constant(-9, 9, 35)),
                Sample.of(new ArgExtremum(false, 1), Arg.constant(-9, 9, 3, 17)),
                Sample.of(new ArgExtremum(true, 1), Arg.constant(-9, 9, 2, 5, 16)));
    }
}
