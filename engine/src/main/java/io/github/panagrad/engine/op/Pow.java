package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Power, aᵇ, for a > 0. Shapes: broadcast.
public record Pow() implements Binary {
    @Override
    public double eval(double a, double b) {
        return Math.pow(a, b);
    }

    @Override
    public Tensor vjpA(Node node, Tensor dy) {
        Tensor b = node.input(1);
        return dy.mul(b).mul(node.input(0).pow(b.sub(1)));
    }

    @Override
    public Tensor vjpB(Node node, Tensor dy) {
        Tensor a = node.input(0);
        return dy.mul(a.log()).mul(a.pow(node.input(1)));
    }

    @Override
    public boolean acceptsIntegers() {
        return false;
    }

    public static List<Sample> samples() {
        return Sample.binary(Pow::new, Arg.uniform(0.5, 2), Arg.uniform(-2, 2));
    }
}
