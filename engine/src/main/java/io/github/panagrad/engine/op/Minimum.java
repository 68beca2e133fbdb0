package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Elementwise minimum. Shapes: broadcast. Where both are equal, the gradient goes to a.
public record Minimum() implements Binary {
    @Override
    public double eval(double a, double b) {
        return Math.min(a, b);
    }

    @Override
    public Tensor vjpA(Node node, Tensor dy) {
        return dy.mul(node.input(0).le(node.input(1)).to(dy.dtype()));
    }

    @Override
    public Tensor vjpB(Node node, Tensor dy) {
        return dy.mul(node.input(0).le(node.input(1)).to(dy.dtype()).affine(-1, 1));
    }

    public static List<Sample> samples() {
        return Sample.binary(Minimum::new, Arg.distinct(), Arg.uniform(-2, 2));
    }
}
