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
/// Backward reads a row twice, for its sums and for its results. The sums are taken around the mean
/// of a few elements; where that is far from the row's, once more around the latter. Rests of a row
/// are scalar.
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
                    float[] block = new float[V];
                    double[] sums = new double[4];
                    int ws = from / chunk * n;
                    int bs = ws + chunks * n;
                    for (int r = from; r < to; r++) {
                        int i = xo + r * n;
                        int d = dyo + r * n;
                        float shift = shift(x, i, n);
                        moments(x, i, shift, w, wo, dy, d, n, block, sums);
                        double off = sums[0] / n;
                        double variance = sums[1] / n - off * off;
                        if (off * off > 8 * variance) {
                            shift += (float) off;
                            moments(x, i, shift, w, wo, dy, d, n, block, sums);
                            off = sums[0] / n;
                            variance = sums[1] / n - off * off;
                        }
                        float mean = (float) (shift + off);
                        float s = inverseDeviation(Math.max(0, variance) * n, n, eps);
                        double sumGh = sums[3] - off * sums[2];
                        // dx = g·s − (h·mean(g·h) + mean g)·s, with h = (x − mean)·s.
                        float c = (float) (-sumGh / n * s);
                        float meanG = (float) (sums[2] / n);
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

    /// Returns about the mean of a row: that of its first elements.
    private static float shift(float[] x, int o, int n) {
        int m = Math.min(n, 8);
        float sum = 0;
        for (int i = 0; i < m; i++) {
            sum += x[o + i];
        }
        return sum / m;
    }

    /// Sets `sums` to Σ u, Σ u², Σ g and Σ g·u, with u = x − shift and g = w·dy.
    private static void moments(
            float[] x,
            int xo,
            float shift,
            float[] w,
            int wo,
            float[] dy,
            int dyo,
            int n,
            float[] block,
            double[] sums) {
        Arrays.fill(sums, 0);
        for (int at = 0; at < n; at += RowFolds.BLOCK) {
            int m = Math.min(RowFolds.BLOCK, n - at);
            blockMoments(x, xo + at, shift, w, wo + at, dy, dyo + at, m, block);
            for (int i = 0; i < 4; i++) {
                sums[i] += block[i];
            }
        }
    }

    private static void blockMoments(
            float[] x,
            int xo,
            float shift,
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
        for (; i <= n - V; i += V) {
            FloatVector u = FloatVector.fromArray(F, x, xo + i).sub(shift);
            FloatVector g = FloatVector.fromArray(F, w, wo + i);
            g = g.mul(FloatVector.fromArray(F, dy, dyo + i));
            a = u.add(a);
            b = u.fma(u, b);
            c = g.add(c);
            d = g.fma(u, d);
        }
        Lanes.sums(a, b, c, d).intoArray(sums, 0);
        float sumU = sums[0];
        float squares = sums[1];
        float sumG = sums[2];
        float dot = sums[3];
        for (; i < n; i++) {
            float u = x[xo + i] - shift;
            float g = w[wo + i] * dy[dyo + i];
            sumU += u;
            squares = Math.fma(u, u, squares);
            sumG += g;
            dot = Math.fma(g, u, dot);
        }
        sums[0] = sumU;
        sums[1] = squares;
        sums[2] = sumG;
        sums[3] = dot;
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
