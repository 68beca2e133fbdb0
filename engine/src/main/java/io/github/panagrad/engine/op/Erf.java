package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Error function, 2/√π·∫₀ˣ e^(−t²) dt. Shapes: (*) → (*).
public record Erf() implements Unary {
    @Override
    public double eval(double x) {
        return erf(x);
    }

    /// Computes erf to double precision: the Taylor series near 0, a continued fraction for erfc
    /// further out (Abramowitz, Stegun, 7.1.5 and 7.1.14).
    static double erf(double x) {
        double a = Math.abs(x);
        if (a > 6) {
            return Math.signum(x);
        }
        if (a < 2.5) {
            double term = x;
            double sum = x;
            for (int n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
                term *= -x * x / n;
                sum += term / (2 * n + 1);
            }
            return sum * 2 / Math.sqrt(Math.PI);
        }
        double fraction = 0;
        for (int n = 60; n > 0; n--) {
            fraction = n / 2.0 / (a + fraction);
        }
        double erfc = Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction));
        return Math.signum(x) * (1 - erfc);
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        return dy.mul(x.square().neg().exp().mul(2 / Math.sqrt(Math.PI)));
    }

    public static List<Sample> samples() {
        return Sample.unary(Erf::new, -4, 4);
    }
}
