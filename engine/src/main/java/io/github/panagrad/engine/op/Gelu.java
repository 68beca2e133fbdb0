package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Gaussian error linear unit, x·Φ(x), exact (Hendrycks, Gimpel, arXiv 1606.08415).
///
/// Shapes: (*) → (*).
public record Gelu() implements Unary {
    @Override
    public double eval(double x) {
        return 0.5 * x * (1 + Erf.erf(x / Math.sqrt(2)));
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        Tensor cdf = x.mul(Math.sqrt(0.5)).erf().affine(0.5, 0.5);
        Tensor density = x.square().mul(-0.5).exp().mul(1 / Math.sqrt(2 * Math.PI));
        return dy.mul(cdf.add(x.mul(density)));
    }

    public static List<Sample> samples() {
        return Sample.unary(Gelu::new, -4, 4);
    }
}
