package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Logarithm of the sum of exponentials over one dimension, which stays with extent 1; it neither
/// overflows nor underflows.
///
/// @param dim the dimension, not negative
public record LogSumExp(int dim) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        Spec x = in.getFirst();
        return List.of(x.widened().with(x.shape().with(dim, 1)));
    }

    @Override
    public void eval(View[] in, View[] out) {
        int n = in[0].dim(dim);
        for (long i = 0; i < out[0].shape().size(); i++) {
            double max = Double.NEGATIVE_INFINITY;
            for (int j = 0; j < n; j++) {
                max = Math.max(max, in[0].get(ArgExtremum.element(in[0].shape(), dim, i, j)));
            }
            double sum = 0;
            for (int j = 0; j < n && !Double.isInfinite(max); j++) {
                sum += Math.exp(in[0].get(ArgExtremum.element(in[0].shape(), dim, i, j)) - max);
            }
            out[0].set(i, Double.isInfinite(max) ? max : max + Math.log(sum));
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        return new Tensor[] {node.grad(dy, 0).mul(node.input(0).sub(node.output(0)).exp())};
    }

    @Override
    public boolean savesOutput(int i) {
        return true;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new LogSumExp(0), Arg.uniform(-4, 4, 35)),
                Sample.of(new LogSumExp(1), Arg.uniform(-40, 40, 3, 17)),
                Sample.of(new LogSumExp(0), Arg.uniform(-4, 4, 5, 16)));
    }
}
