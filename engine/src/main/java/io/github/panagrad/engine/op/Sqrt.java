package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Square root. Shapes: (*) → (*).
public record Sqrt() implements Unary {
    @Override
    public double eval(double x) {
        return Math.sqrt(x);
    }

    @Override
    public boolean usesOutput() {
        return true;
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        return dy.div(y).mul(0.5);
    }

    public static List<Sample> samples() {
        return Sample.unary(Sqrt::new, 0.2, 4);
    }
}
