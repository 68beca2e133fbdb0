package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Sine of radians. Shapes: (*) → (*).
public record Sin() implements Unary {
    @Override
    public double eval(double x) {
        return Math.sin(x);
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        return dy.mul(x.cos());
    }

    public static List<Sample> samples() {
        return Sample.unary(Sin::new, -4, 4);
    }
}
