package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Gaussian error linear unit, approximated by tanh (Hendrycks, Gimpel, arXiv 1606.08415).
///
/// Shapes: (*) → (*).
public record GeluTanh() implements Unary {
    private static final double ROOT = Math.sqrt(2 / Math.PI);
    private static final double CUBIC = 0.044715;

    @Override
    public double eval(double x) {
        return 0.5 * x * (1 + Math.tanh(ROOT * (x + CUBIC * x * x * x)));
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        Tensor square = x.square();
        Tensor t = x.mul(square.affine(CUBIC, 1)).mul(ROOT).tanh();
        Tensor slope = t.square().affine(-1, 1).mul(x).mul(square.affine(3 * CUBIC, 1)).mul(ROOT);
        return dy.mul(t.add(1).add(slope).mul(0.5));
    }

    public static List<Sample> samples() {
        return Sample.unary(GeluTanh::new, -4, 4);
    }
}
