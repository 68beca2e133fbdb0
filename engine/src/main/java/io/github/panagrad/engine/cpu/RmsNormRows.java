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
/// and Sennrich, 2019), forward and backward.
///
/// Backward computes s again instead of storing it: the row is read anyway. With g = w·dy it is
/// dx = s·g + c·x with c = −s³·mean(g·x), and dw = Σ over the rows of dy·x·s.
///
/// Both directions read a row twice, and it is in the L1 cache the second time: once for its sums,
/// once for its results. Rests of a row are scalar, with the same roundings.
final class RmsNormRows {
    private RmsNormRows() {}

    /// Chunks of 64 KiB of x, so that x, dy and dx of one lie in the L2 cache.
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

    private static void normalise(
            float[] x, int xo, float[] w, int wo, double eps, float[] y, int yo, int n) {
        scale(x, xo, w, wo, inverseRms(RowFolds.dot(x, xo, x, xo, n), n, eps), y, yo, n);
    }

    /// y = x·s·w.
    private static void scale(
            float[] x, int xo, float[] w, int wo, float s, float[] y, int yo, int n) {
        int i = 0;
        for (; i <= n - V; i += V) {
            FloatVector v = FloatVector.fromArray(F, x, xo + i).mul(s);
            v.mul(FloatVector.fromArray(F, w, wo + i)).intoArray(y, yo + i);
        }
        for (; i < n; i++) {
            y[yo + i] = x[xo + i] * s * w[wo + i];
        }
    }

    /// Computes the gradients of x and w that are not null.
    /// dx may be dy.
    static void backward(
            float[] x,
            int xo,
            float[] w,
            int wo,
            double eps,
            float[] dy,
            int dyo,
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
                    float[] sums = new float[V];
                    int acc = from / chunk * n;
                    for (int r = from; r < to; r++) {
                        int i = xo + r * n;
                        int d = dyo + r * n;
                        double squares = 0;
                        double dot = 0;
                        for (int at = 0; at < n; at += RowFolds.BLOCK) {
                            int m = Math.min(RowFolds.BLOCK, n - at);
                            moments(x, i + at, w, wo + at, dy, d + at, m, sums);
                            squares += sums[0];
                            dot += sums[1];
                        }
                        float s = inverseRms(squares, n, eps);
                        float c = (float) (-(double) s * s * s * dot / n);
                        int o = dxo + r * n;
                        if (dx == null) {
                            if (partial != null) {
                                addProduct(x, i, dy, d, s, partial, acc, n);
                            }
                        } else if (partial == null) {
                            inputGradient(x, i, w, wo, dy, d, s, c, dx, o, n);
                        } else {
                            gradients(x, i, w, wo, dy, d, s, c, dx, o, partial, acc, n);
                        }
                    }
                });
        if (partial != null && dw != null) {
            ColumnSums.combine(partial, 0, chunks, n, dw, dwo);
            Pool.floats().release(partial);
        }
    }

    /// Sets the first of `sums` to Σ x² and the second to Σ x·w·dy.
    private static void moments(
            float[] x, int xo, float[] w, int wo, float[] dy, int dyo, int n, float[] sums) {
        FloatVector a = broadcast(F, 0f);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int i = 0;
        for (; i <= n - 2 * V; i += 2 * V) {
            FloatVector u = FloatVector.fromArray(F, x, xo + i);
            FloatVector g = FloatVector.fromArray(F, w, wo + i);
            g = g.mul(FloatVector.fromArray(F, dy, dyo + i));
            a = u.fma(u, a);
            b = g.fma(u, b);
            u = FloatVector.fromArray(F, x, xo + i + V);
            g = FloatVector.fromArray(F, w, wo + i + V);
            g = g.mul(FloatVector.fromArray(F, dy, dyo + i + V));
            c = u.fma(u, c);
            d = g.fma(u, d);
        }
        for (; i <= n - V; i += V) {
            FloatVector u = FloatVector.fromArray(F, x, xo + i);
            FloatVector g = FloatVector.fromArray(F, w, wo + i);
            g = g.mul(FloatVector.fromArray(F, dy, dyo + i));
            a = u.fma(u, a);
            b = g.fma(u, b);
        }
        Lanes.sums(a.add(c), b.add(d)).intoArray(sums, 0);
        float squares = sums[0];
        float dot = sums[1];
        for (; i < n; i++) {
            squares = Math.fma(x[xo + i], x[xo + i], squares);
            dot = Math.fma(w[wo + i] * dy[dyo + i], x[xo + i], dot);
        }
        sums[0] = squares;
        sums[1] = dot;
    }

    /// dx = s·w·dy + c·x and acc += x·s·dy.
    private static void gradients(
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
            float[] acc,
            int at,
            int n) {
        int i = 0;
        for (; i <= n - V; i += V) {
            FloatVector u = FloatVector.fromArray(F, x, xo + i);
            FloatVector d = FloatVector.fromArray(F, dy, dyo + i);
            FloatVector g = FloatVector.fromArray(F, w, wo + i).mul(d).mul(s);
            FloatVector sum = FloatVector.fromArray(F, acc, at + i);
            u.mul(s).fma(d, sum).intoArray(acc, at + i);
            u.fma(broadcast(F, c), g).intoArray(dx, dxo + i);
        }
        for (; i < n; i++) {
            float u = x[xo + i];
            float d = dy[dyo + i];
            acc[at + i] = Math.fma(u * s, d, acc[at + i]);
            dx[dxo + i] = Math.fma(u, c, w[wo + i] * d * s);
        }
    }

    /// acc += x·s·dy.
    private static void addProduct(
            float[] x, int xo, float[] dy, int dyo, float s, float[] acc, int at, int n) {
        int i = 0;
        for (; i <= n - V; i += V) {
            FloatVector v = FloatVector.fromArray(F, x, xo + i).mul(s);
            FloatVector a = FloatVector.fromArray(F, acc, at + i);
            v.fma(FloatVector.fromArray(F, dy, dyo + i), a).intoArray(acc, at + i);
        }
        for (; i < n; i++) {
            acc[at + i] = Math.fma(x[xo + i] * s, dy[dyo + i], acc[at + i]);
        }
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
        for (; i < n; i++) {
            dx[dxo + i] = Math.fma(x[xo + i], c, w[wo + i] * dy[dyo + i] * s);
        }
    }
}
