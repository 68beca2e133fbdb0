package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Hyperbolic tangent. Shapes: (*) → (*).
public record Tanh() implements Unary {
    @Override
    public double eval(double x) {
        return Math.tanh(x);
    }

    @Override
    public boolean usesOutput() {
        return true;
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        return dy.mul(y.square().affine(-1, 1));
    }

    public static List<Sample> samples() {
        return Sample.unary(Tanh::new, -3, 3);
    }
}
