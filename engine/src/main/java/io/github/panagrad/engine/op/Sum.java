package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Sum over some dimensions, which stay with extent 1. Shapes: (*) → (*).
///
/// @param dims the dimensions to sum over, not negative, ascending
public record Sum(List<Integer> dims) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        Shape shape = in.getFirst().shape();
        for (int dim : dims) {
            shape = shape.with(dim, 1);
        }
        return List.of(in.getFirst().summed().with(shape));
    }

    @Override
    public void eval(View[] in, View[] out) {
        int n = in[0].shape().intSize();
        double[] sums = new double[out[0].shape().intSize()];
        Layout target = Layout.contiguous(out[0].shape()).expand(in[0].shape());
        for (int i = 0; i < n; i++) {
            sums[(int) target.position(i)] += in[0].get(i);
        }
        for (int i = 0; i < sums.length; i++) {
            out[0].set(i, sums[i]);
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        return new Tensor[] {node.grad(dy, 0).expand(node.inputSpec(0).shape())};
    }

    @Override
    public boolean savesInput(int i) {
        return false;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Sum(List.of(0)), Arg.uniform(-2, 2, 35)),
                Sample.of(new Sum(List.of(0)), Arg.uniform(-2, 2, 9, 17)),
                Sample.of(new Sum(List.of(1)), Arg.uniform(-2, 2, 3, 17)),
                Sample.of(new Sum(List.of(1)), Arg.uniform(-2, 2, 3, 5, 16)),
                Sample.of(new Sum(List.of(0, 2)), Arg.uniform(-2, 2, 3, 5, 7)),
                Sample.of(new Sum(List.of(0, 1, 2)), Arg.uniform(-2, 2, 3, 5, 7)));
    }
}
