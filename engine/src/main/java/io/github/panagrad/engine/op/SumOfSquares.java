package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Sum of the squares of all elements: what norms are made of. Shapes: (*) → ().
public record SumOfSquares() implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        return List.of(in.getFirst().widened().with(Shape.SCALAR));
    }

    @Override
    public void eval(View[] in, View[] out) {
        double sum = 0;
        for (long i = 0; i < in[0].shape().size(); i++) {
            double x = in[0].get(i);
            sum += x * x;
        }
        out[0].set(0, sum);
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        return new Tensor[] {node.input(0).mul(node.grad(dy, 0).mul(2))};
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new SumOfSquares(), Arg.uniform(-2, 2, 35)),
                Sample.of(new SumOfSquares(), Arg.uniform(-2, 2, 3, 17)));
    }
}
