package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Cosine of radians. Shapes: (*) → (*).
public record Cos() implements Unary {
    @Override
    public double eval(double x) {
        return Math.cos(x);
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        return dy.mul(x.sin().neg());
    }

    public static List<Sample> samples() {
        return Sample.unary(Cos::new, -4, 4);
    }
}
