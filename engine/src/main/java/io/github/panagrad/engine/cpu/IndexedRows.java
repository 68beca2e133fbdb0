package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Storage;
import io.github.panagrad.engine.op.Gather;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Picks and adds up rows by number: embedding lookup, its gradient, and their element-wise kin.
///
/// Adding is deterministic: the rows of the result are split between the threads, and what goes to
/// one row is added in the order in which it came.
final class IndexedRows {
    /// More rows than this for one result are added in doubles.
    private static final int FEW = 32;

    private IndexedRows() {}

    private static int grain(int inner) {
        return Math.max(1, Elementwise.GRAIN / Math.max(1, inner));
    }

    private static void check(String op, int[] index, int io, int k, int bound) {
        for (int i = 0; i < k; i++) {
            Gather.checked(op, index[io + i], bound);
        }
    }

    /// Sets y[o, i] = x[o, index[i]] for rows of `inner` elements; x is [outer, n, inner].
    static void select(
            float[] x,
            int xo,
            int[] index,
            int io,
            float[] y,
            int yo,
            int outer,
            int n,
            int k,
            int inner) {
        check("indexSelect", index, io, k, n);
        Parallel.forRange(
                outer * k,
                grain(inner),
                (from, to) -> {
                    for (int r = from; r < to; r++) {
                        int source = (r / k * n + index[io + r % k]) * inner;
                        System.arraycopy(x, xo + source, y, yo + r * inner, inner);
                    }
                });
    }

    /// The same from stored rows, which are widened.
    static void select(
            Storage x,
            long xo,
            int[] index,
            int io,
            float[] y,
            int yo,
            int outer,
            int n,
            int k,
            int inner) {
        check("indexSelect", index, io, k, n);
        Parallel.forRange(
                outer * k,
                grain(inner),
                (from, to) -> {
                    for (int r = from; r < to; r++) {
                        long source = ((long) (r / k) * n + index[io + r % k]) * inner;
                        Widen.run(x, xo + source, y, yo + r * inner, inner);
                    }
                });
    }

    /// Sets y[o, v] to the sum of the x[o, i] with index[i] = v; y is [outer, extent, inner].
    static void add(
            float[] x,
            int xo,
            int[] index,
            int io,
            float[] y,
            int yo,
            int outer,
            int extent,
            int k,
            int inner) {
        check("indexAdd", index, io, k, extent);
        long[] sorted = sorted(index, io, k);
        Parallel.forRange(
                outer * extent,
                grain(inner),
                (from, to) -> {
                    int next = firstOf(sorted, from % extent);
                    for (int r = from; r < to; r++) {
                        int v = r % extent;
                        if (v == 0) {
                            next = 0;
                        }
                        int start = next;
                        while (next < k && (int) (sorted[next] >>> 32) == v) {
                            next++;
                        }
                        int base = xo + r / extent * k * inner;
                        sumRows(x, base, sorted, start, next, inner, y, yo + r * inner);
                    }
                });
    }

    /// Adds the x[o, i] with index[i] = v to y[o, v]; y is [outer, extent, inner].
    ///
    /// What goes to one row is added up first, so the bits are those of [#add] and an addition.
    static void addTo(
            float[] x,
            int xo,
            int[] index,
            int io,
            float[] y,
            int yo,
            int outer,
            int extent,
            int k,
            int inner) {
        check("indexAddTo", index, io, k, extent);
        long[] sorted = sorted(index, io, k);
        Parallel.forRange(
                outer * k,
                grain(inner),
                (from, to) -> {
                    float[] sum = new float[inner];
                    for (int r = from; r < to; r++) {
                        int first = r % k;
                        int v = (int) (sorted[first] >>> 32);
                        if (first > 0 && (int) (sorted[first - 1] >>> 32) == v) {
                            continue;
                        }
                        int end = first + 1;
                        while (end < k && (int) (sorted[end] >>> 32) == v) {
                            end++;
                        }
                        int base = xo + r / k * k * inner;
                        int target = yo + (r / k * extent + v) * inner;
                        if (end == first + 1) {
                            accumulate(x, base + (int) sorted[first] * inner, y, target, inner);
                        } else {
                            sumRows(x, base, sorted, first, end, inner, sum, 0);
                            accumulate(sum, 0, y, target, inner);
                        }
                    }
                });
    }

    /// Returns the rows' numbers, ascending, each with its place in the lower half.
    private static long[] sorted(int[] index, int io, int k) {
        long[] sorted = new long[k];
        for (int i = 0; i < k; i++) {
            sorted[i] = (long) index[io + i] << 32 | i;
        }
        Arrays.sort(sorted);
        return sorted;
    }

    private static int firstOf(long[] sorted, int v) {
        int at = Arrays.binarySearch(sorted, (long) v << 32);
        return at >= 0 ? at : -at - 1;
    }

    private static void sumRows(
            float[] x, int base, long[] sorted, int from, int to, int inner, float[] y, int yo) {
        if (from == to) {
            Arrays.fill(y, yo, yo + inner, 0f);
        } else if (to - from <= FEW) {
            System.arraycopy(x, base + (int) sorted[from] * inner, y, yo, inner);
            for (int i = from + 1; i < to; i++) {
                accumulate(x, base + (int) sorted[i] * inner, y, yo, inner);
            }
        } else {
            double[] sums = new double[inner];
            for (int i = from; i < to; i++) {
                int at = base + (int) sorted[i] * inner;
                for (int j = 0; j < inner; j++) {
                    sums[j] += x[at + j];
                }
            }
            for (int j = 0; j < inner; j++) {
                y[yo + j] = (float) sums[j];
            }
        }
    }

    private static void accumulate(float[] x, int xo, float[] y, int yo, int n) {
        int j = 0;
        for (; j <= n - V; j += V) {
            FloatVector.fromArray(F, y, yo + j)
                    .add(FloatVector.fromArray(F, x, xo + j))
                    .intoArray(y, yo + j);
        }
        for (; j < n; j++) {
            y[yo + j] += x[xo + j];
        }
    }

    /// Sets y[o, i, j] = x[o, index[o, i, j], j]; x is [outer, n, inner], y and index [outer, k,
    /// inner].
    static void gather(
            float[] x,
            int xo,
            int[] index,
            int io,
            float[] y,
            int yo,
            int outer,
            int n,
            int k,
            int inner) {
        Parallel.forRange(
                outer * k,
                grain(inner),
                (from, to) -> {
                    for (int r = from; r < to; r++) {
                        int base = xo + r / k * n * inner;
                        for (int j = 0; j < inner; j++) {
                            int v = Gather.checked("gather", index[io + r * inner + j], n);
                            y[yo + r * inner + j] = x[base + v * inner + j];
                        }
                    }
                });
    }

    /// Sets y to zeros and adds x[o, i, j] to y[o, index[o, i, j], j]; y is [outer, extent, inner].
    static void scatterAdd(
            float[] x,
            int xo,
            int[] index,
            int io,
            float[] y,
            int yo,
            int outer,
            int extent,
            int k,
            int inner) {
        Parallel.forRange(
                outer,
                grain(Math.max(extent, k) * inner),
                (from, to) -> {
                    Arrays.fill(y, yo + from * extent * inner, yo + to * extent * inner, 0f);
                    for (int r = from * k; r < to * k; r++) {
                        int base = yo + r / k * extent * inner;
                        for (int j = 0; j < inner; j++) {
                            int at = r * inner + j;
                            int v = Gather.checked("scatterAdd", index[io + at], extent);
                            y[base + v * inner + j] += x[xo + at];
                        }
                    }
                });
    }
}
