package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.NE;

import io.github.panagrad.engine.ground.Parallel;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Reductions and running sums of contiguous rows, one result, or one row, for each.
///
/// Reductions over other dimensions are [ColumnSums], or a copy with that dimension last.
final class RowReduce {
    private RowReduce() {}

    private static int rowsAtATime(int n) {
        return Math.max(1, Elementwise.GRAIN / Math.max(1, n));
    }

    /// Sets y[r] = scale·Σ of row r; a single long row is split between the threads.
    static void sum(float[] x, int xo, float[] y, int yo, int rows, int n, double scale) {
        if (rows == 1) {
            y[yo] = (float) (scale * total(x, xo, n));
            return;
        }
        Parallel.forRange(
                rows,
                rowsAtATime(n),
                (from, to) -> {
                    for (int r = from; r < to; r++) {
                        y[yo + r] = (float) (scale * RowFolds.sum(x, xo + r * n, n));
                    }
                });
    }

    /// Returns Σ x over all elements, in parallel, in doubles over fixed chunks.
    static double total(float[] x, int o, int n) {
        double[] parts = new double[(n + Elementwise.GRAIN - 1) / Elementwise.GRAIN];
        Parallel.forRange(
                n,
                Elementwise.GRAIN,
                (from, to) ->
                        parts[from / Elementwise.GRAIN] = RowFolds.sum(x, o + from, to - from));
        double total = 0;
        for (double part : parts) {
            total += part;
        }
        return total;
    }

    /// Sets y[r] to the largest element of row r, NaN if one is.
    static void max(float[] x, int xo, float[] y, int yo, int rows, int n) {
        Parallel.forRange(
                rows,
                rowsAtATime(n),
                (from, to) -> {
                    for (int r = from; r < to; r++) {
                        y[yo + r] = RowFolds.max(x, xo + r * n, n);
                    }
                });
    }

    /// Sets y[r] to the smallest element of row r, NaN if one is.
    static void min(float[] x, int xo, float[] y, int yo, int rows, int n) {
        Parallel.forRange(
                rows,
                rowsAtATime(n),
                (from, to) -> {
                    for (int r = from; r < to; r++) {
                        y[yo + r] = RowFolds.min(x, xo + r * n, n);
                    }
                });
    }

    /// Sets y[r] to the position in row r of its first largest element, or of its first NaN.
    static void argMax(float[] x, int xo, int[] y, int yo, int rows, int n) {
        Parallel.forRange(
                rows,
                rowsAtATime(n),
                (from, to) -> {
                    for (int r = from; r < to; r++) {
                        int o = xo + r * n;
                        y[yo + r] = indexOf(x, o, n, RowFolds.max(x, o, n));
                    }
                });
    }

    /// Sets y[r] to the position in row r of its first smallest element, or of its first NaN.
    static void argMin(float[] x, int xo, int[] y, int yo, int rows, int n) {
        Parallel.forRange(
                rows,
                rowsAtATime(n),
                (from, to) -> {
                    for (int r = from; r < to; r++) {
                        int o = xo + r * n;
                        y[yo + r] = indexOf(x, o, n, RowFolds.min(x, o, n));
                    }
                });
    }

    /// The position of the first element equal to `value`, which may be NaN; there is one.
    private static int indexOf(float[] x, int o, int n, float value) {
        boolean nan = Float.isNaN(value);
        int i = 0;
        for (; i <= n - V; i += V) {
            FloatVector v = FloatVector.fromArray(F, x, o + i);
            var found = nan ? v.compare(NE, v) : v.compare(EQ, value);
            if (found.anyTrue()) {
                return i + found.firstTrue();
            }
        }
        while (nan ? !Float.isNaN(x[o + i]) : x[o + i] != value) {
            i++;
        }
        return i;
    }

    /// Sets y to the running sums along the middle dimension of [outer, n, inner], this element
    /// included; from the end if `reverse`.
    static void cumulativeSum(
            float[] x, int xo, float[] y, int yo, int outer, int n, int inner, boolean reverse) {
        Parallel.forRange(
                outer,
                rowsAtATime(n * inner),
                (from, to) -> {
                    double[] sums = new double[inner];
                    for (int o = from; o < to; o++) {
                        Arrays.fill(sums, 0);
                        for (int i = 0; i < n; i++) {
                            int at = (o * n + (reverse ? n - 1 - i : i)) * inner;
                            for (int j = 0; j < inner; j++) {
                                sums[j] += x[xo + at + j];
                                y[yo + at + j] = (float) sums[j];
                            }
                        }
                    }
                });
    }
}
