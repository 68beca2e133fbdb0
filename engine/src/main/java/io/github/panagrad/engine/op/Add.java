package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Sum, a + b. Shapes: broadcast.
public record Add() implements Binary {
    @Override
    public double eval(double a, double b) {
        return a + b;
    }

    @Override
    public Tensor vjpA(Node node, Tensor dy) {
        return dy;
    }

    @Override
    public Tensor vjpB(Node node, Tensor dy) {
        return dy;
    }

    @Override
    public boolean savesInput(int i) {
        return false;
    }

    public static List<Sample> samples() {
        return Sample.binary(Add::new, Arg.uniform(-2, 2), Arg.uniform(-2, 2));
    }
}
