package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static jdk.incubator.vector.FloatVector.broadcast;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/// Root-mean-square normalisation of contiguous rows, y = w·x·s with s = 1/√(mean x² + ε) (Zhang
/// and Sennrich, 2019), forward and backward; on request with the residual sum before it.
///
/// Backward computes s again instead of storing it: the row is read anyway. With g = w·dy it is
/// dx = s·(g − x·s²·mean(g·x)) and dw = Σ over the rows of dy·x·s.
final class RmsNormRows {
    private RmsNormRows() {}

    private static int rowsAtATime(int n) {
        return Math.clamp(Elementwise.GRAIN / Math.max(1, n), 8, 256);
    }

    private static float inverseRms(double sumOfSquares, int n, double eps) {
        return (float) (1 / Math.sqrt(sumOfSquares / n + eps));
    }

    /// Sets y to the normalised rows of x; y may be x.
    static void forward(
            float[] x, int xo, float[] w, int wo, double eps, float[] y, int yo, int rows, int n) {
        Parallel.forRange(
                rows,
                rowsAtATime(n),
                (from, to) -> {
                    for (int r = from; r < to; r++) {
                        int o = r * n;
                        normalise(x, xo + o, w, wo, eps, y, yo + o, n);
                    }
                });
    }

    /// Sets sum = x + residual and y to its normalised rows; sum may be x or the residual.
    static void forwardResidual(
            float[] x,
            int xo,
            float[] residual,
            int ro,
            float[] w,
            int wo,
            double eps,
            float[] sum,
            int so,
            float[] y,
            int yo,
            int rows,
            int n) {
        BinaryLoop add = BinaryFn.ADD.loop();
        Parallel.forRange(
                rows,
                rowsAtATime(n),
                (from, to) -> {
                    for (int r = from; r < to; r++) {
                        int o = r * n;
                        add.run(x, xo + o, residual, ro + o, sum, so + o, n, 0, 0);
                        normalise(sum, so + o, w, wo, eps, y, yo + o, n);
                    }
                });
    }

    private static void normalise(
            float[] x, int xo, float[] w, int wo, double eps, float[] y, int yo, int n) {
        float s = inverseRms(RowFolds.dot(x, xo, x, xo, n), n, eps);
        int i = 0;
        for (; i <= n - V; i += V) {
            FloatVector v = FloatVector.fromArray(F, x, xo + i).mul(s);
            v.mul(FloatVector.fromArray(F, w, wo + i)).intoArray(y, yo + i);
        }
        if (i < n) {
            var rest = Lanes.first(n - i);
            FloatVector v = FloatVector.fromArray(F, x, xo + i, rest).mul(s);
            v.mul(FloatVector.fromArray(F, w, wo + i, rest)).intoArray(y, yo + i, rest);
        }
    }

    /// Computes the gradients of x and w that are not null.
    ///
    /// @param also a gradient of x from elsewhere, such as the residual stream, that dx is to
    ///     include; not the array of dx, which may be that of dy
    static void backward(
            float[] x,
            int xo,
            float[] w,
            int wo,
            double eps,
            float[] dy,
            int dyo,
            float @Nullable [] also,
            int ao,
            float @Nullable [] dx,
            int dxo,
            float @Nullable [] dw,
            int dwo,
            int rows,
            int n) {
        int chunk = rowsAtATime(n);
        int chunks = Math.max(1, (rows + chunk - 1) / chunk);
        float[] partial = dw == null ? null : Pool.floats().acquire(chunks * n);
        if (partial != null) {
            Arrays.fill(partial, 0, chunks * n, 0f);
        }
        Parallel.forRange(
                rows,
                chunk,
                (from, to) -> {
                    for (int r = from; r < to; r++) {
                        int o = r * n;
                        float s = inverseRms(RowFolds.dot(x, xo + o, x, xo + o, n), n, eps);
                        if (partial != null) {
                            addProduct(x, xo + o, dy, dyo + o, s, partial, from / chunk * n, n);
                        }
                        if (dx != null) {
                            double dot = tripleDot(x, xo + o, w, wo, dy, dyo + o, n);
                            float c = (float) (-(double) s * s * s * dot / n);
                            inputGradient(x, xo + o, w, wo, dy, dyo + o, s, c, dx, dxo + o, n);
                            if (also != null) {
                                BinaryFn.ADD
                                        .loop()
                                        .run(dx, dxo + o, also, ao + o, dx, dxo + o, n, 0, 0);
                            }
                        }
                    }
                });
        if (partial != null && dw != null) {
            ColumnSums.combine(partial, 0, chunks, n, dw, dwo);
            Pool.floats().release(partial);
        }
    }

    /// acc += x·dy·s.
    private static void addProduct(
            float[] x, int xo, float[] dy, int dyo, float s, float[] acc, int at, int n) {
        int i = 0;
        for (; i <= n - V; i += V) {
            FloatVector v = FloatVector.fromArray(F, x, xo + i).mul(s);
            FloatVector a = FloatVector.fromArray(F, acc, at + i);
            v.fma(FloatVector.fromArray(F, dy, dyo + i), a).intoArray(acc, at + i);
        }
        if (i < n) {
            var rest = Lanes.first(n - i);
            FloatVector v = FloatVector.fromArray(F, x, xo + i, rest).mul(s);
            FloatVector a = FloatVector.fromArray(F, acc, at + i, rest);
            v.fma(FloatVector.fromArray(F, dy, dyo + i, rest), a).intoArray(acc, at + i, rest);
        }
    }

    /// Σ x·w·dy, in doubles over blocks.
    private static double tripleDot(
            float[] x, int xo, float[] w, int wo, float[] dy, int dyo, int n) {
        double total = 0;
        for (int at = 0; at < n; at += RowFolds.BLOCK) {
            int m = Math.min(RowFolds.BLOCK, n - at);
            total += blockTripleDot(x, xo + at, w, wo + at, dy, dyo + at, m);
        }
        return total;
    }

    private static float blockTripleDot(
            float[] x, int xo, float[] w, int wo, float[] dy, int dyo, int n) {
        FloatVector a = broadcast(F, 0f);
        FloatVector b = a;
        int i = 0;
        for (; i <= n - 2 * V; i += 2 * V) {
            FloatVector g = FloatVector.fromArray(F, w, wo + i);
            g = g.mul(FloatVector.fromArray(F, dy, dyo + i));
            a = g.fma(FloatVector.fromArray(F, x, xo + i), a);
            FloatVector h = FloatVector.fromArray(F, w, wo + i + V);
            h = h.mul(FloatVector.fromArray(F, dy, dyo + i + V));
            b = h.fma(FloatVector.fromArray(F, x, xo + i + V), b);
        }
        for (; i < n; i += V) {
            var rest = Lanes.first(n - i);
            FloatVector g = FloatVector.fromArray(F, w, wo + i, rest);
            g = g.mul(FloatVector.fromArray(F, dy, dyo + i, rest));
            a = g.fma(FloatVector.fromArray(F, x, xo + i, rest), a);
        }
        return Lanes.sum(a.add(b));
    }

    /// dx = s·w·dy + c·x.
    private static void inputGradient(
            float[] x,
            int xo,
            float[] w,
            int wo,
            float[] dy,
            int dyo,
            float s,
            float c,
            float[] dx,
            int dxo,
            int n) {
        int i = 0;
        for (; i <= n - V; i += V) {
            FloatVector g = FloatVector.fromArray(F, w, wo + i);
            g = g.mul(FloatVector.fromArray(F, dy, dyo + i)).mul(s);
            FloatVector.fromArray(F, x, xo + i).fma(broadcast(F, c), g).intoArray(dx, dxo + i);
        }
        if (i < n) {
            var rest = Lanes.first(n - i);
            FloatVector g = FloatVector.fromArray(F, w, wo + i, rest);
            g = g.mul(FloatVector.fromArray(F, dy, dyo + i, rest)).mul(s);
            FloatVector v = FloatVector.fromArray(F, x, xo + i, rest);
            v.fma(broadcast(F, c), g).intoArray(dx, dxo + i, rest);
        }
    }
}
