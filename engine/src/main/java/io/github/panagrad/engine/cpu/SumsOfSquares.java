package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.D;
import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static jdk.incubator.vector.VectorOperators.F2D;

import io.github.panagrad.engine.ground.Parallel;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;

/// Sums of squares, what gradient norms are made of, and the search for numbers that are none.
///
/// Squares are taken and added in doubles: in floats a gradient above 1.8e19 would overflow, and
/// one below 1e-19 vanish.
final class SumsOfSquares {
    private SumsOfSquares() {}

    /// Returns Σ x² over n elements, in parallel, in an order that depends on n only.
    static double total(float[] x, int o, int n) {
        double[] parts = new double[(n + Elementwise.GRAIN - 1) / Elementwise.GRAIN];
        Parallel.forRange(
                n,
                Elementwise.GRAIN,
                (from, to) -> parts[from / Elementwise.GRAIN] = range(x, o + from, to - from));
        double total = 0;
        for (double part : parts) {
            total += part;
        }
        return total;
    }

    private static double range(float[] x, int o, int n) {
        DoubleVector a = DoubleVector.zero(D);
        DoubleVector b = a;
        DoubleVector c = a;
        DoubleVector d = a;
        int i = 0;
        for (; i <= n - 2 * V; i += 2 * V) {
            FloatVector p = FloatVector.fromArray(F, x, o + i);
            FloatVector q = FloatVector.fromArray(F, x, o + i + V);
            DoubleVector low = (DoubleVector) p.convertShape(F2D, D, 0);
            DoubleVector high = (DoubleVector) p.convertShape(F2D, D, 1);
            a = low.fma(low, a);
            b = high.fma(high, b);
            low = (DoubleVector) q.convertShape(F2D, D, 0);
            high = (DoubleVector) q.convertShape(F2D, D, 1);
            c = low.fma(low, c);
            d = high.fma(high, d);
        }
        double total = Lanes.sum(a, b, c, d);
        for (; i < n; i++) {
            total += (double) x[o + i] * x[o + i];
        }
        return total;
    }

    /// Tells whether all n elements are finite.
    static boolean allFinite(float[] x, int o, int n) {
        boolean[] parts = new boolean[(n + Elementwise.GRAIN - 1) / Elementwise.GRAIN];
        Parallel.forRange(
                n,
                Elementwise.GRAIN,
                (from, to) -> parts[from / Elementwise.GRAIN] = finite(x, o + from, to - from));
        for (boolean part : parts) {
            if (!part) {
                return false;
            }
        }
        return true;
    }

    /// Multiplied by zero, finite numbers give zero and all others NaN, which no addition mends.
    private static boolean finite(float[] x, int o, int n) {
        FloatVector zero = FloatVector.zero(F);
        FloatVector a = zero;
        FloatVector b = zero;
        int i = 0;
        for (; i <= n - 2 * V; i += 2 * V) {
            a = FloatVector.fromArray(F, x, o + i).fma(zero, a);
            b = FloatVector.fromArray(F, x, o + i + V).fma(zero, b);
        }
        float rest = Lanes.sum(a, b);
        for (; i < n; i++) {
            rest += x[o + i] * 0f;
        }
        return rest == 0;
    }
}
