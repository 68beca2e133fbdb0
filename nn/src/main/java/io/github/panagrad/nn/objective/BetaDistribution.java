package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;

/// The symmetric beta distribution, whose numbers say in which shares two things are mixed: uniform
/// for a = 1, near 0 or 1 below, near ½ above.
///
/// @param a its shape, above 0
record BetaDistribution(double a) {
    /// Random numbers that one sample may use up: rejection takes 1.05 rounds of them on average.
    private static final long ROOM = 1L << 16;

    BetaDistribution {
        if (!(a > 0 && Double.isFinite(a))) {
            throw new PanagradException("beta", "shape is out of range", "" + a, "above 0", "");
        }
    }

    /// Returns sample i of a draw, the same whichever samples were taken before.
    double sample(Rng.Draw draw, long i) {
        double x = logGamma(draw, 2 * i * ROOM);
        double y = logGamma(draw, (2 * i + 1) * ROOM);
        return 1 / (1 + Math.exp(y - x));
    }

    /// The logarithm of a gamma distributed number, which a small shape would take below the
    /// smallest double (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000).
    private double logGamma(Rng.Draw draw, long from) {
        double d = (a < 1 ? a + 1 : a) - 1.0 / 3;
        double c = 1 / Math.sqrt(9 * d);
        double boost = a < 1 ? Math.log(uniform(draw, from)) / a : 0;
        for (long at = from + 4; ; at += 4) {
            double x = draw.normal(at / 2);
            double v = Math.pow(1 + c * x, 3);
            double u = uniform(draw, at + 2);
            if (v > 0 && Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) {
                return Math.log(d * v) + boost;
            }
        }
    }

    private static double uniform(Rng.Draw draw, long index) {
        return ((draw.bits(index) >>> 8) + 0.5) * 0x1p-24;
    }
}
