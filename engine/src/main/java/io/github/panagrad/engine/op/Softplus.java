package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Softplus, ln(1+eˣ). Shapes: (*) → (*).
public record Softplus() implements Unary {
    @Override
    public double eval(double x) {
        return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        return dy.mul(x.sigmoid());
    }

    public static List<Sample> samples() {
        return Sample.unary(Softplus::new, -6, 6);
    }
}
