package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Logistic function, σ(x) = 1/(1+e⁻ˣ). Shapes: (*) → (*).
public record Sigmoid() implements Unary {
    @Override
    public double eval(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    @Override
    public boolean usesOutput() {
        return true;
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        return dy.mul(y.mul(y.affine(-1, 1)));
    }

    public static List<Sample> samples() {
        return Sample.unary(Sigmoid::new, -4, 4);
    }
}
