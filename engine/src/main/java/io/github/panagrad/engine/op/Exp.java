package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Exponential, eˣ. Shapes: (*) → (*).
public record Exp() implements Unary {
    @Override
    public double eval(double x) {
        return Math.exp(x);
    }

    @Override
    public boolean usesOutput() {
        return true;
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        return dy.mul(y);
    }

    public static List<Sample> samples() {
        return Sample.unary(Exp::new, -3, 3);
    }
}
