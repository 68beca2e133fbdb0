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

/// Euclidean norm over some dimensions, which stay with extent 1; its gradient at 0 is 0.
///
/// @param dims the dimensions, not negative, ascending
public record Norm(List<Integer> dims) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        Shape shape = in.getFirst().shape();
        for (int dim : dims) {
            shape = shape.with(dim, 1);
        }
        return List.of(in.getFirst().widened().with(shape));
    }

    @Override
    public void eval(View[] in, View[] out) {
        int n = in[0].shape().intSize();
        double[] squares = new double[out[0].shape().intSize()];
        Layout target = Layout.contiguous(out[0].shape()).expand(in[0].shape());
        for (int i = 0; i < n; i++) {
            double x = in[0].get(i);
            squares[(int) target.position(i)] += x * x;
        }
        for (int i = 0; i < squares.length; i++) {
            out[0].set(i, Math.sqrt(squares[i]));
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        Tensor norm = node.output(0);
        // One instead of zero: what it divides is zero itself, and stays so.
        Tensor divisor = norm.add(norm.eq(0).to(norm.dtype()));
        return new Tensor[] {node.input(0).mul(node.grad(dy, 0).div(divisor))};
    }

    @Override
    public boolean savesOutput(int i) {
        return true;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Norm(List.of(0)), Arg.uniform(-2, 2, 35)),
                Sample.of(new Norm(List.of(1)), Arg.uniform(-2, 2, 3, 17)),
                Sample.of(new Norm(List.of(0)), Arg.uniform(-2, 2, 9, 16)),
                Sample.of(new Norm(List.of(0, 2)), Arg.uniform(-2, 2, 3, 5, 4)));
    }
}
