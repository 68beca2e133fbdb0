package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import io.github.panagrad.engine.ground.Parallel;
import jdk.incubator.vector.FloatVector;

/// Softmax, its logarithm and log-sum-exp over contiguous rows, forward and backward.
///
/// The largest element is subtracted first, so nothing overflows; −∞ gives exactly 0. A row with a
/// NaN, or of nothing but −∞, gives NaN, except that the log-sum-exp of nothing but −∞ is −∞.
/// Results may overwrite operands of the same size.
///
/// A row is read for its maximum, its exponentials and their scaling; it is in the L1 cache but for
/// the first time.
final class SoftmaxRows {
    private static final float LOG2_E = 1.44269504f;

    /// 1.5·2²³ with a float's bias on top: adding it leaves the nearest integer in the low bits of
    /// the sum, and these, moved up by 23, are that power of two.
    private static final float ROUND_BIASED = 12582912f + 127f;

    private SoftmaxRows() {}

    private static int rowsAtATime(int n) {
        return Math.max(1, Elementwise.GRAIN / 4 / Math.max(1, n));
    }

    /// Sets each row of y to the softmax of the row of x.
    static void forward(float[] x, int xo, float[] y, int yo, int rows, int n) {
        Parallel.forRange(
                rows,
                rowsAtATime(n),
                (from, to) -> {
                    for (int r = from; r < to; r++) {
                        row(x, xo + r * n, y, yo + r * n, n);
                    }
                });
    }

    /// Sets one row; for kernels that have rows of their own.
    static void row(float[] x, int xo, float[] y, int yo, int n) {
        double sum = exponentials(x, xo, y, yo, n, RowFolds.maxNumber(x, xo, n));
        UnaryFn.AFFINE.loop().run(y, yo, y, yo, n, (float) (1 / sum), 0);
    }

    /// Sets y to exp(x − max) for one row, of which max is the largest element; returns the sum.
    static double exponentials(float[] x, int xo, float[] y, int yo, int n, float max) {
        double sum = 0;
        for (int i = 0; i < n; i += RowFolds.BLOCK) {
            sum += storeExp(x, xo + i, y, yo + i, Math.min(RowFolds.BLOCK, n - i), max);
        }
        return sum;
    }

    /// Returns log Σ exp x of one row.
    static float logSumExp(float[] x, int o, int n) {
        float max = RowFolds.maxNumber(x, o, n);
        if (Float.isInfinite(max)) {
            // The difference to an infinite maximum is no number; the sum's limit is.
            return Double.isNaN(RowFolds.sum(x, o, n)) && anyNaN(x, o, n) ? Float.NaN : max;
        }
        return (float) (max + Math.log(expSum(x, o, n, max)));
    }

    /// Returns Σ exp(x − max) of one row, of which max is the largest element.
    static double expSum(float[] x, int o, int n, float max) {
        double sum = 0;
        for (int i = 0; i < n; i += RowFolds.BLOCK) {
            sum += sumExp(x, o + i, Math.min(RowFolds.BLOCK, n - i), max);
        }
        return sum;
    }

    private static boolean anyNaN(float[] x, int o, int n) {
        for (int i = 0; i < n; i++) {
            if (Float.isNaN(x[o + i])) {
                return true;
            }
        }
        return false;
    }

    /// Sets y[r] to the log-sum-exp of row r of x.
    static void logSumExp(float[] x, int xo, float[] y, int yo, int rows, int n) {
        Parallel.forRange(
                rows,
                rowsAtATime(n),
                (from, to) -> {
                    for (int r = from; r < to; r++) {
                        y[yo + r] = logSumExp(x, xo + r * n, n);
                    }
                });
    }

    /// Sets dx to exp(x − lse)·d, with one lse and one d a row.
    static void logSumExpBackward(
            float[] x,
            int xo,
            float[] lse,
            int lo,
            float[] d,
            int dOff,
            float[] dx,
            int dxo,
            int rows,
            int n) {
        UnaryLoop loop = UnaryFn.SHIFTED_EXP.loop();
        Parallel.forRange(
                rows,
                rowsAtATime(n),
                (from, to) -> {
                    for (int r = from; r < to; r++) {
                        loop.run(x, xo + r * n, dx, dxo + r * n, n, lse[lo + r], d[dOff + r]);
                    }
                });
    }

    /// Sets each row of y to x − log Σ exp x.
    static void logForward(float[] x, int xo, float[] y, int yo, int rows, int n) {
        UnaryLoop loop = UnaryFn.AFFINE.loop();
        Parallel.forRange(
                rows,
                rowsAtATime(n),
                (from, to) -> {
                    for (int r = from; r < to; r++) {
                        float lse = logSumExp(x, xo + r * n, n);
                        loop.run(x, xo + r * n, y, yo + r * n, n, 1, -lse);
                    }
                });
    }

    /// Sets dx to y·(dy − Σ y·dy), from the softmax y.
    static void backward(
            float[] y, int yo, float[] dy, int dyo, float[] dx, int dxo, int rows, int n) {
        BinaryLoop loop = BinaryFn.SOFTMAX_GRAD_OF_RESULT.loop();
        Parallel.forRange(
                rows,
                rowsAtATime(n),
                (from, to) -> {
                    for (int r = from; r < to; r++) {
                        int o = r * n;
                        float dot = (float) RowFolds.dot(y, yo + o, dy, dyo + o, n);
                        loop.run(y, yo + o, dy, dyo + o, dx, dxo + o, n, dot, 0);
                    }
                });
    }

    /// Sets dx to dy − exp(y)·Σ dy, from the log-softmax y.
    static void logBackward(
            float[] y, int yo, float[] dy, int dyo, float[] dx, int dxo, int rows, int n) {
        BinaryLoop loop = BinaryFn.LOG_SOFTMAX_GRAD_OF_RESULT.loop();
        Parallel.forRange(
                rows,
                rowsAtATime(n),
                (from, to) -> {
                    for (int r = from; r < to; r++) {
                        int o = r * n;
                        float sum = (float) RowFolds.sum(dy, dyo + o, n);
                        loop.run(y, yo + o, dy, dyo + o, dx, dxo + o, n, sum, 0);
                    }
                });
    }

    /// y = exp(x − max), returns the sum; elements of the padding add nothing.
    private static float storeExp(float[] x, int xo, float[] y, int yo, int n, float max) {
        FloatVector m = broadcast(F, max);
        FloatVector sum = broadcast(F, 0f);
        int whole = F.loopBound(n);
        float[] from = x;
        float[] to = y;
        int f = xo;
        int t = yo;
        int end = whole;
        for (boolean last = whole == n; ; last = true) {
            for (int i = 0; i < end; i += V) {
                FloatVector e = shareExp(FloatVector.fromArray(F, from, f + i).sub(m));
                e.intoArray(to, t + i);
                sum = e.add(sum);
            }
            if (last) {
                break;
            }
            from = Tails.padded(x, xo + whole, n - whole, Float.NEGATIVE_INFINITY);
            to = from;
            f = 0;
            t = 0;
            end = V;
        }
        if (whole < n) {
            System.arraycopy(to, 0, y, yo + whole, n - whole);
        }
        return Lanes.sum(sum);
    }

    /// Returns eᵈ for d ≤ 0, NaN included; zero below 2⁻¹²⁶.
    ///
    /// 2ⁿ·2ᶠ with d·log₂e = n + f: two operations less than [VectorMath#expNonPositive], for an
    /// error of 6e-8·|d|, which is that of the difference that d is. No method of ours is called, so
    /// that C2 cannot leave one out.
    private static FloatVector shareExp(FloatVector d) {
        FloatVector t = d.mul(LOG2_E);
        FloatVector rounded = t.add(ROUND_BIASED);
        FloatVector f = t.sub(rounded.sub(ROUND_BIASED));
        FloatVector power = rounded.reinterpretAsInts().lanewise(LSHL, 23).reinterpretAsFloats();
        FloatVector p = broadcast(F, 1.5321117e-4f).fma(f, broadcast(F, 1.3390187e-3f));
        p =
                p.fma(f, broadcast(F, 9.6185263e-3f))
                        .fma(f, broadcast(F, 5.5503622e-2f))
                        .fma(f, broadcast(F, 0.24022648f));
        p = p.fma(f, broadcast(F, 0.69314718f)).fma(f, broadcast(F, 1f));
        return p.mul(power).blend(0f, t.compare(LT, -126f));
    }

    private static float sumExp(float[] x, int o, int n, float max) {
        FloatVector m = broadcast(F, max);
        FloatVector sum = broadcast(F, 0f);
        int whole = F.loopBound(n);
        float[] from = x;
        int f = o;
        int end = whole;
        for (boolean last = whole == n; ; last = true) {
            for (int i = 0; i < end; i += V) {
                sum = shareExp(FloatVector.fromArray(F, from, f + i).sub(m)).add(sum);
            }
            if (last) {
                break;
            }
            from = Tails.padded(x, o + whole, n - whole, Float.NEGATIVE_INFINITY);
            f = 0;
            end = V;
        }
        return Lanes.sum(sum);
    }
}
