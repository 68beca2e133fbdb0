package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Product, a·b. Shapes: broadcast.
public record Mul() implements Binary {
    @Override
    public double eval(double a, double b) {
        return a * b;
    }

    @Override
    public Tensor vjpA(Node node, Tensor dy) {
        return dy.mul(node.input(1));
    }

    @Override
    public Tensor vjpB(Node node, Tensor dy) {
        return dy.mul(node.input(0));
    }

    @Override
    public boolean savesInput(int i, boolean[] needs) {
        return needs[1 - i];
    }

    public static List<Sample> samples() {
        return Sample.binary(Mul::new, Arg.uniform(-2, 2), Arg.uniform(-2, 2));
    }
}
