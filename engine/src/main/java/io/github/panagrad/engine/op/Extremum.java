package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Greatest or least value over one dimension, which stays with extent 1. NaN wins.
///
/// Where several elements are extreme, the gradient is split evenly among them.
///
/// @param max the greatest, else the least
/// @param dim the dimension, not negative
public record Extremum(boolean max, int dim) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        Spec x = in.getFirst();
        if (x.shape().dim(dim) == 0) {
            throw new ShapeException(
                    name(),
                    "nothing to choose from",
                    x.toString(),
                    "a dimension that is not empty",
                    "");
        }
        return List.of(x.widened().with(x.shape().with(dim, 1)));
    }

    @Override
    public void eval(View[] in, View[] out) {
        int n = in[0].dim(dim);
        for (long i = 0; i < out[0].shape().size(); i++) {
            double best = max ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
            for (int j = 0; j < n; j++) {
                double x = in[0].get(ArgExtremum.element(in[0].shape(), dim, i, j));
                best = max ? Math.max(best, x) : Math.min(best, x);
            }
            out[0].set(i, best);
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        Tensor d = node.grad(dy, 0);
        Tensor chosen = node.input(0).eq(node.output(0)).to(d.dtype());
        return new Tensor[] {chosen.mul(d.div(chosen.sum(dim, true)))};
    }

    @Override
    public boolean savesOutput(int i) {
        return true;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Extremum(true, 0), Arg.distinct(35)),
                Sample.of(new Extremum(false, 1), Arg.distinct(3, 17)),
                Sample.of(new Extremum(true, 1), Arg.distinct(2, 5, 16)),
                Sample.of(new Extremum(false, 0), Arg.distinct(4, 33)));
    }
}
