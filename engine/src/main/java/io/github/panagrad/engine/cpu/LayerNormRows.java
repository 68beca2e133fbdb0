package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static jdk.incubator.vector.FloatVector.broadcast;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/// Layer normalisation of contiguous rows, y = w·h + b with h = (x − mean)/√(var + ε) (Ba, Kiros
/// and Hinton, 2016), forward and backward.
///
/// The variance is taken around the mean in a second pass over the row, which is in the L1 cache by
/// then: the difference of two large sums would lose it where the mean is large. Backward computes
/// both again. With g = w·dy it is dx = s·(g − mean g − h·mean(g·h)), dw = Σ dy·h, db = Σ dy.
///
/// Both directions read a row three times: for its mean, for its deviations, for its results; the
/// two sums that backward needs besides are taken in the first two. Rests of a row are scalar.
final class LayerNormRows {
    private LayerNormRows() {}

    /// Chunks of 64 KiB of x, so that x, dy and dx of one lie in the L2 cache.
    private static int rowsAtATime(int n) {
        return Math.clamp(Elementwise.GRAIN / Math.max(1, n), 8, 256);
    }

    private static float inverseDeviation(double squares, int n, double eps) {
        return (float) (1 / Math.sqrt(squares / n + eps));
    }

    /// Sets y to the normalised rows of x; y may be x.
    static void forward(
            float[] x,
            int xo,
            float[] w,
            int wo,
            float[] b,
            int bo,
            double eps,
            float[] y,
            int yo,
            int rows,
            int n) {
        Parallel.forRange(
                rows,
                rowsAtATime(n),
                (from, to) -> {
                    for (int r = from; r < to; r++) {
                        int o = xo + r * n;
                        float mean = (float) (RowFolds.sum(x, o, n) / n);
                        double squares = RowFolds.squaredDeviations(x, o, n, mean);
                        float s = inverseDeviation(squares, n, eps);
                        scale(x, o, mean, s, w, wo, b, bo, y, yo + r * n, n);
                    }
                });
    }

    /// y = (x − mean)·s·w + b.
    private static void scale(
            float[] x,
            int xo,
            float mean,
            float s,
            float[] w,
            int wo,
            float[] b,
            int bo,
            float[] y,
            int yo,
            int n) {
        int i = 0;
        for (; i <= n - V; i += V) {
            FloatVector h = FloatVector.fromArray(F, x, xo + i).sub(mean).mul(s);
            FloatVector shift = FloatVector.fromArray(F, b, bo + i);
            h.fma(FloatVector.fromArray(F, w, wo + i), shift).intoArray(y, yo + i);
        }
        for (; i < n; i++) {
            y[yo + i] = Math.fma((x[xo + i] - mean) * s, w[wo + i], b[bo + i]);
        }
    }

    /// Computes the gradients of x, w and b that are not null; dx may be dy.
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
            float @Nullable [] db,
            int dbo,
            int rows,
            int n) {
        int chunk = rowsAtATime(n);
        int chunks = Math.max(1, (rows + chunk - 1) / chunk);
        boolean parameters = dw != null || db != null;
        float[] partial = Pool.floats().acquire(parameters ? 2 * chunks * n : 0);
        Arrays.fill(partial, 0, parameters ? 2 * chunks * n : 0, 0f);
        Parallel.forRange(
                rows,
                chunk,
                (from, to) -> {
                    float[] sums = new float[V];
                    int ws = from / chunk * n;
                    int bs = ws + chunks * n;
                    for (int r = from; r < to; r++) {
                        int i = xo + r * n;
                        int d = dyo + r * n;
                        double sumX = 0;
                        double sumG = 0;
                        for (int at = 0; at < n; at += RowFolds.BLOCK) {
                            int m = Math.min(RowFolds.BLOCK, n - at);
                            sums(x, i + at, w, wo + at, dy, d + at, m, sums);
                            sumX += sums[0];
                            sumG += sums[1];
                        }
                        float mean = (float) (sumX / n);
                        double squares = 0;
                        double sumGh = 0;
                        for (int at = 0; at < n; at += RowFolds.BLOCK) {
                            int m = Math.min(RowFolds.BLOCK, n - at);
                            deviations(x, i + at, mean, w, wo + at, dy, d + at, m, sums);
                            squares += sums[0];
                            sumGh += sums[1];
                        }
                        float s = inverseDeviation(squares, n, eps);
                        // dx = g·s − (h·mean(g·h) + mean g)·s, with h = (x − mean)·s.
                        float c = (float) (-sumGh / n * s);
                        float meanG = (float) (sumG / n);
                        int o = dxo + r * n;
                        if (dx == null) {
                            addProducts(x, i, mean, s, dy, d, partial, ws, bs, n);
                        } else if (parameters) {
                            gradients(
                                    x, i, mean, s, w, wo, dy, d, meanG, c, dx, o, partial, ws, bs,
                                    n);
                        } else {
                            inputGradient(x, i, mean, s, w, wo, dy, d, meanG, c, dx, o, n);
                        }
                    }
                });
        if (dw != null) {
            ColumnSums.combine(partial, 0, chunks, n, dw, dwo);
        }
        if (db != null) {
            ColumnSums.combine(partial, chunks * n, chunks, n, db, dbo);
        }
        Pool.floats().release(partial);
    }

    /// Sets the first of `sums` to Σ x and the second to Σ w·dy.
    private static void sums(
            float[] x, int xo, float[] w, int wo, float[] dy, int dyo, int n, float[] sums) {
        FloatVector a = broadcast(F, 0f);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int i = 0;
        for (; i <= n - 2 * V; i += 2 * V) {
            a = a.add(FloatVector.fromArray(F, x, xo + i));
            FloatVector v = FloatVector.fromArray(F, w, wo + i);
            b = v.fma(FloatVector.fromArray(F, dy, dyo + i), b);
            c = c.add(FloatVector.fromArray(F, x, xo + i + V));
            v = FloatVector.fromArray(F, w, wo + i + V);
            d = v.fma(FloatVector.fromArray(F, dy, dyo + i + V), d);
        }
        for (; i <= n - V; i += V) {
            a = a.add(FloatVector.fromArray(F, x, xo + i));
            FloatVector v = FloatVector.fromArray(F, w, wo + i);
            b = v.fma(FloatVector.fromArray(F, dy, dyo + i), b);
        }
        Lanes.sums(a.add(c), b.add(d)).intoArray(sums, 0);
        float sumX = sums[0];
        float sumG = sums[1];
        for (; i < n; i++) {
            sumX += x[xo + i];
            sumG = Math.fma(w[wo + i], dy[dyo + i], sumG);
        }
        sums[0] = sumX;
        sums[1] = sumG;
    }

    /// Sets the first of `sums` to Σ (x − mean)² and the second to Σ w·dy·(x − mean).
    private static void deviations(
            float[] x,
            int xo,
            float mean,
            float[] w,
            int wo,
            float[] dy,
            int dyo,
            int n,
            float[] sums) {
        FloatVector a = broadcast(F, 0f);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int i = 0;
        for (; i <= n - 2 * V; i += 2 * V) {
            FloatVector u = FloatVector.fromArray(F, x, xo + i).sub(mean);
            FloatVector g = FloatVector.fromArray(F, w, wo + i);
            g = g.mul(FloatVector.fromArray(F, dy, dyo + i));
            a = u.fma(u, a);
            b = g.fma(u, b);
            u = FloatVector.fromArray(F, x, xo + i + V).sub(mean);
            g = FloatVector.fromArray(F, w, wo + i + V);
            g = g.mul(FloatVector.fromArray(F, dy, dyo + i + V));
            c = u.fma(u, c);
            d = g.fma(u, d);
        }
        for (; i <= n - V; i += V) {
            FloatVector u = FloatVector.fromArray(F, x, xo + i).sub(mean);
            FloatVector g = FloatVector.fromArray(F, w, wo + i);
            g = g.mul(FloatVector.fromArray(F, dy, dyo + i));
            a = u.fma(u, a);
            b = g.fma(u, b);
        }
        Lanes.sums(a.add(c), b.add(d)).intoArray(sums, 0);
        float squares = sums[0];
        float dot = sums[1];
        for (; i < n; i++) {
            float u = x[xo + i] - mean;
            squares = Math.fma(u, u, squares);
            dot = Math.fma(w[wo + i] * dy[dyo + i], u, dot);
        }
        sums[0] = squares;
        sums[1] = dot;
    }

    /// dx = (w·dy − meanG + h·c)·s, acc[ws…] += dy·h and acc[bs…] += dy, with h = (x − mean)·s.
    private static void gradients(
            float[] x,
            int xo,
            float mean,
            float s,
            float[] w,
            int wo,
            float[] dy,
            int dyo,
            float meanG,
            float c,
            float[] dx,
            int dxo,
            float[] acc,
            int ws,
            int bs,
            int n) {
        int i = 0;
        for (; i <= n - V; i += V) {
            FloatVector h = FloatVector.fromArray(F, x, xo + i).sub(mean).mul(s);
            FloatVector d = FloatVector.fromArray(F, dy, dyo + i);
            FloatVector g = FloatVector.fromArray(F, w, wo + i).mul(d).sub(meanG);
            h.fma(d, FloatVector.fromArray(F, acc, ws + i)).intoArray(acc, ws + i);
            d.add(FloatVector.fromArray(F, acc, bs + i)).intoArray(acc, bs + i);
            h.fma(broadcast(F, c), g).mul(s).intoArray(dx, dxo + i);
        }
        for (; i < n; i++) {
            float h = (x[xo + i] - mean) * s;
            float d = dy[dyo + i];
            acc[ws + i] = Math.fma(h, d, acc[ws + i]);
            acc[bs + i] += d;
            dx[dxo + i] = Math.fma(h, c, w[wo + i] * d - meanG) * s;
        }
    }

    /// acc[ws…] += dy·h and acc[bs…] += dy, with h = (x − mean)·s.
    private static void addProducts(
            float[] x,
            int xo,
            float mean,
            float s,
            float[] dy,
            int dyo,
            float[] acc,
            int ws,
            int bs,
            int n) {
        int i = 0;
        for (; i <= n - V; i += V) {
            FloatVector h = FloatVector.fromArray(F, x, xo + i).sub(mean).mul(s);
            FloatVector d = FloatVector.fromArray(F, dy, dyo + i);
            h.fma(d, FloatVector.fromArray(F, acc, ws + i)).intoArray(acc, ws + i);
            d.add(FloatVector.fromArray(F, acc, bs + i)).intoArray(acc, bs + i);
        }
        for (; i < n; i++) {
            float d = dy[dyo + i];
            acc[ws + i] = Math.fma((x[xo + i] - mean) * s, d, acc[ws + i]);
            acc[bs + i] += d;
        }
    }

    /// dx = (w·dy − meanG + h·c)·s, with h = (x − mean)·s.
    private static void inputGradient(
            float[] x,
            int xo,
            float mean,
            float s,
            float[] w,
            int wo,
            float[] dy,
            int dyo,
            float meanG,
            float c,
            float[] dx,
            int dxo,
            int n) {
        int i = 0;
        for (; i <= n - V; i += V) {
            FloatVector h = FloatVector.fromArray(F, x, xo + i).sub(mean).mul(s);
            FloatVector g = FloatVector.fromArray(F, w, wo + i);
            g = g.mul(FloatVector.fromArray(F, dy, dyo + i)).sub(meanG);
            h.fma(broadcast(F, c), g).mul(s).intoArray(dx, dxo + i);
        }
        for (; i < n; i++) {
            float h = (x[xo + i] - mean) * s;
            dx[dxo + i] = Math.fma(h, c, w[wo + i] * dy[dyo + i] - meanG) * s;
        }
    }
}
