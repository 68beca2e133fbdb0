package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import io.github.panagrad.engine.tape.Tape;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Running sums along one dimension. Shapes: (*) → (*).
///
/// @param dim the dimension, not negative
/// @param reverse whether to sum from the end: yᵢ = xᵢ + xᵢ₊₁ + …
public record CumSum(int dim, boolean reverse) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        in.getFirst().shape().axis(dim);
        return List.of(in.getFirst().summed());
    }

    @Override
    public void eval(View[] in, View[] out) {
        int n = in[0].dim(dim);
        long lines = in[0].shape().size() / Math.max(1, n);
        for (long i = 0; i < lines; i++) {
            double sum = 0;
            for (int j = 0; j < n; j++) {
                long at = ArgExtremum.element(in[0].shape(), dim, i, reverse ? n - 1 - j : j);
                sum += in[0].get(at);
                out[0].set(at, sum);
            }
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        return new Tensor[] {Tape.one(new CumSum(dim, !reverse), node.grad(dy, 0))};
    }

    @Override
    public boolean savesInput(int i) {
        return false;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new CumSum(0, false), Arg.uniform(-2, 2, 35)),
                Sample.of(new CumSum(1, true), Arg.uniform(-2, 2, 3, 17)),
                Sample.of(new CumSum(1, false), Arg.uniform(-2, 2, 2, 5, 3)));
    }
}
