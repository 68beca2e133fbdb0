package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Reciprocal square root, 1/√x. Shapes: (*) → (*).
public record Rsqrt() implements Unary {
    @Override
    public double eval(double x) {
        return 1 / Math.sqrt(x);
    }

    @Override
    public boolean usesOutput() {
        return true;
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        return dy.mul(y.mul(y.square()).mul(-0.5));
    }

    public static List<Sample> samples() {
        return Sample.unary(Rsqrt::new, 0.2, 4);
    }
}
