package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Quotient, a / b. Shapes: broadcast.
public record Div() implements Binary {
    @Override
    public double eval(double a, double b) {
        return a / b;
    }

    @Override
    public Tensor vjpA(Node node, Tensor dy) {
        return dy.div(node.input(1));
    }

    @Override
    public Tensor vjpB(Node node, Tensor dy) {
        Tensor b = node.input(1);
        return dy.mul(node.input(0)).div(b.square()).neg();
    }

    @Override
    public boolean savesInput(int i, boolean[] needs) {
        return i == 1 || needs[1];
    }

    @Override
    public boolean acceptsIntegers() {
        return false;
    }

    public static List<Sample> samples() {
        return Sample.binary(Div::new, Arg.uniform(-2, 2), Arg.uniform(0.5, 2));
    }
}
