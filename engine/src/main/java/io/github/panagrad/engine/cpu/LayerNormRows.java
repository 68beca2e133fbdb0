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
/// The variance is taken around the mean in a second pass over the row, which is in the cache by
/// then: the difference of two large sums would lose it where the mean is large. Backward computes
/// both again. With g = w·dy it is dx = s·(g − mean g − h·mean(g·h)), dw = Σ dy·h, db = Σ dy.
final class LayerNormRows {
    private LayerNormRows() {}

    private static int rowsAtATime(int n) {
        return Math.clamp(Elementwise.GRAIN / Math.max(1, n), 8, 256);
    }

    private static float mean(float[] x, int o, int n) {
        return (float) (RowFolds.sum(x, o, n) / n);
    }

    private static float inverseDeviation(float[] x, int o, int n, float mean, double eps) {
        return (float) (1 / Math.sqrt(RowFolds.squaredDeviations(x, o, n, mean) / n + eps));
    }

    /// Sets y to the normalised rows of x; y may be x, b null.
    static void forward(
            float[] x,
            int xo,
            float[] w,
            int wo,
            float @Nullable [] b,
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
                        int o = r * n;
                        float mean = mean(x, xo + o, n);
                        float s = inverseDeviation(x, xo + o, n, mean, eps);
                        scale(x, xo + o, mean, s, w, wo, y, yo + o, n);
                        if (b != null) {
                            BinaryFn.ADD.loop().run(y, yo + o, b, bo, y, yo + o, n, 0, 0);
                        }
                    }
                });
    }

    /// y = (x − mean)·s·w.
    private static void scale(
            float[] x, int xo, float mean, float s, float[] w, int wo, float[] y, int yo, int n) {
        int i = 0;
        for (; i <= n - V; i += V) {
            FloatVector h = FloatVector.fromArray(F, x, xo + i).sub(mean).mul(s);
            h.mul(FloatVector.fromArray(F, w, wo + i)).intoArray(y, yo + i);
        }
        if (i < n) {
            var rest = Lanes.first(n - i);
            FloatVector h = FloatVector.fromArray(F, x, xo + i, rest).sub(mean).mul(s);
            h.mul(FloatVector.fromArray(F, w, wo + i, rest)).intoArray(y, yo + i, rest);
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
        boolean sums = dw != null || db != null;
        float[] partial = Pool.floats().acquire(sums ? 2 * chunks * n : 0);
        Arrays.fill(partial, 0, sums ? 2 * chunks * n : 0, 0f);
        Parallel.forRange(
                rows,
                chunk,
                (from, to) -> {
                    int ws = from / chunk * n;
                    int bs = ws + chunks * n;
                    for (int r = from; r < to; r++) {
                        int i = xo + r * n;
                        int d = dyo + r * n;
                        float mean = mean(x, i, n);
                        float s = inverseDeviation(x, i, n, mean, eps);
                        if (sums) {
                            addProducts(x, i, mean, s, dy, d, partial, ws, bs, n);
                        }
                        if (dx != null) {
                            inputGradient(x, i, w, wo, mean, s, dy, d, dx, dxo + r * n, n);
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

    /// acc[ws…] += (x − mean)·s·dy and acc[bs…] += dy.
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
        if (i < n) {
            var rest = Lanes.first(n - i);
            FloatVector h = FloatVector.fromArray(F, x, xo + i, rest).sub(mean).mul(s);
            FloatVector d = FloatVector.fromArray(F, dy, dyo + i, rest);
            h.fma(d, FloatVector.fromArray(F, acc, ws + i, rest)).intoArray(acc, ws + i, rest);
            d.add(FloatVector.fromArray(F, acc, bs + i, rest)).intoArray(acc, bs + i, rest);
        }
    }

    private static void inputGradient(
            float[] x,
            int xo,
            float[] w,
            int wo,
            float mean,
            float s,
            float[] dy,
            int dyo,
            float[] dx,
            int dxo,
            int n) {
        double sumG = RowFolds.dot(w, wo, dy, dyo, n);
        double sumGh = 0;
        for (int at = 0; at < n; at += RowFolds.BLOCK) {
            int m = Math.min(RowFolds.BLOCK, n - at);
            sumGh += blockGh(x, xo + at, mean, s, w, wo + at, dy, dyo + at, m);
        }
        float meanG = (float) (sumG / n);
        float meanGh = (float) (sumGh / n);
        int i = 0;
        for (; i <= n - V; i += V) {
            FloatVector h = FloatVector.fromArray(F, x, xo + i).sub(mean).mul(s);
            FloatVector g = FloatVector.fromArray(F, w, wo + i);
            g = g.mul(FloatVector.fromArray(F, dy, dyo + i));
            h.fma(broadcast(F, -meanGh), g.sub(meanG)).mul(s).intoArray(dx, dxo + i);
        }
        if (i < n) {
            var rest = Lanes.first(n - i);
            FloatVector h = FloatVector.fromArray(F, x, xo + i, rest).sub(mean).mul(s);
            FloatVector g = FloatVector.fromArray(F, w, wo + i, rest);
            g = g.mul(FloatVector.fromArray(F, dy, dyo + i, rest));
            h.fma(broadcast(F, -meanGh), g.sub(meanG)).mul(s).intoArray(dx, dxo + i, rest);
        }
    }

    /// Σ w·dy·h.
    private static float blockGh(
            float[] x, int xo, float mean, float s, float[] w, int wo, float[] dy, int dyo, int n) {
        FloatVector a = broadcast(F, 0f);
        FloatVector b = a;
        int i = 0;
        for (; i <= n - 2 * V; i += 2 * V) {
            FloatVector h = FloatVector.fromArray(F, x, xo + i).sub(mean);
            FloatVector g = FloatVector.fromArray(F, w, wo + i);
            a = h.fma(g.mul(FloatVector.fromArray(F, dy, dyo + i)), a);
            h = FloatVector.fromArray(F, x, xo + i + V).sub(mean);
            g = FloatVector.fromArray(F, w, wo + i + V);
            b = h.fma(g.mul(FloatVector.fromArray(F, dy, dyo + i + V)), b);
        }
        for (; i < n; i += V) {
            var rest = Lanes.first(n - i);
            FloatVector h = FloatVector.fromArray(F, x, xo + i, rest).sub(mean);
            FloatVector g = FloatVector.fromArray(F, w, wo + i, rest);
            a = h.fma(g.mul(FloatVector.fromArray(F, dy, dyo + i, rest)), a);
        }
        return Lanes.sum(a.add(b)) * s;
    }
}
