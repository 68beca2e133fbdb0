package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Power with a constant exponent, xᵖ. Shapes: (*) → (*).
///
/// @param exponent p
public record PowScalar(double exponent) implements Unary {
    @Override
    public double eval(double x) {
        return Math.pow(x, exponent);
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        // A constant: its derivative must not meet the pole of x⁻¹.
        return exponent == 0 ? dy.mul(0) : dy.mul(x.pow(exponent - 1).mul(exponent));
    }

    public static List<Sample> samples() {
        return Sample.unary(() -> new PowScalar(2.5), 0.2, 3);
    }
}
