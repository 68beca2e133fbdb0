package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static io.github.panagrad.engine.cpu.Lanes.all;

import jdk.incubator.vector.FloatVector;

/// Sums, dot products and extremes of one contiguous row: what the row kernels are made of.
///
/// Sums run in floats over blocks of [#BLOCK] elements, with several accumulators, and in doubles
/// over the blocks, so that a long row loses no more precision than a short one. The order is fixed
/// by the length and the vector width. Nothing here is parallel.
final class RowFolds {
    /// Elements that are added in floats: each lane of 16 sees 16 of them in each of 4
    /// accumulators.
    static final int BLOCK = 1024;

    private RowFolds() {}

    /// Returns Σ x.
    static double sum(float[] x, int o, int n) {
        if (n <= BLOCK) {
            return blockSum(x, o, n);
        }
        double total = 0;
        for (int i = 0; i < n; i += BLOCK) {
            total += blockSum(x, o + i, Math.min(BLOCK, n - i));
        }
        return total;
    }

    private static float blockSum(float[] x, int o, int n) {
        FloatVector a = FloatVector.zero(F);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int i = 0;
        for (; i <= n - 4 * V; i += 4 * V) {
            a = FloatVector.fromArray(F, x, o + i).add(a);
            b = FloatVector.fromArray(F, x, o + i + V).add(b);
            c = FloatVector.fromArray(F, x, o + i + 2 * V).add(c);
            d = FloatVector.fromArray(F, x, o + i + 3 * V).add(d);
        }
        for (; i <= n - V; i += V) {
            a = FloatVector.fromArray(F, x, o + i).add(a);
        }
        if (i < n) {
            b = FloatVector.fromArray(F, x, o + i, Lanes.first(n - i)).add(b);
        }
        return Lanes.sum(a, b, c, d);
    }

    /// Returns Σ x·y; Σ x² for y = x.
    static double dot(float[] x, int xo, float[] y, int yo, int n) {
        if (n <= BLOCK) {
            return blockDot(x, xo, y, yo, n);
        }
        double total = 0;
        for (int i = 0; i < n; i += BLOCK) {
            total += blockDot(x, xo + i, y, yo + i, Math.min(BLOCK, n - i));
        }
        return total;
    }

    private static float blockDot(float[] x, int xo, float[] y, int yo, int n) {
        FloatVector a = FloatVector.zero(F);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int i = 0;
        for (; i <= n - 4 * V; i += 4 * V) {
            int j = xo + i;
            int k = yo + i;
            a = FloatVector.fromArray(F, x, j).fma(FloatVector.fromArray(F, y, k), a);
            b = FloatVector.fromArray(F, x, j + V).fma(FloatVector.fromArray(F, y, k + V), b);
            j += 2 * V;
            k += 2 * V;
            c = FloatVector.fromArray(F, x, j).fma(FloatVector.fromArray(F, y, k), c);
            d = FloatVector.fromArray(F, x, j + V).fma(FloatVector.fromArray(F, y, k + V), d);
        }
        for (; i <= n - V; i += V) {
            a = FloatVector.fromArray(F, x, xo + i).fma(FloatVector.fromArray(F, y, yo + i), a);
        }
        if (i < n) {
            var rest = Lanes.first(n - i);
            FloatVector left = FloatVector.fromArray(F, x, xo + i, rest);
            b = left.fma(FloatVector.fromArray(F, y, yo + i, rest), b);
        }
        return Lanes.sum(a, b, c, d);
    }

    /// Returns Σ (x − mean)².
    static double squaredDeviations(float[] x, int o, int n, float mean) {
        double total = 0;
        for (int i = 0; i < n; i += BLOCK) {
            total += blockDeviations(x, o + i, Math.min(BLOCK, n - i), mean);
        }
        return total;
    }

    private static float blockDeviations(float[] x, int o, int n, float mean) {
        FloatVector m = all(mean);
        FloatVector a = FloatVector.zero(F);
        FloatVector b = a;
        int i = 0;
        for (; i <= n - 2 * V; i += 2 * V) {
            FloatVector p = FloatVector.fromArray(F, x, o + i).sub(m);
            FloatVector q = FloatVector.fromArray(F, x, o + i + V).sub(m);
            a = p.fma(p, a);
            b = q.fma(q, b);
        }
        for (; i <= n - V; i += V) {
            FloatVector p = FloatVector.fromArray(F, x, o + i).sub(m);
            a = p.fma(p, a);
        }
        if (i < n) {
            var rest = Lanes.first(n - i);
            FloatVector p = FloatVector.fromArray(F, x, o + i, rest).sub(m, rest);
            b = p.fma(p, b);
        }
        return Lanes.sum(a, b);
    }

    /// Returns the largest element, −∞ if there is none; where some are NaN, it may be NaN or not.
    static float maxNumber(float[] x, int o, int n) {
        FloatVector a = all(Float.NEGATIVE_INFINITY);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int i = 0;
        for (; i <= n - 4 * V; i += 4 * V) {
            a = Lanes.larger(a, FloatVector.fromArray(F, x, o + i));
            b = Lanes.larger(b, FloatVector.fromArray(F, x, o + i + V));
            c = Lanes.larger(c, FloatVector.fromArray(F, x, o + i + 2 * V));
            d = Lanes.larger(d, FloatVector.fromArray(F, x, o + i + 3 * V));
        }
        for (; i <= n - V; i += V) {
            a = Lanes.larger(a, FloatVector.fromArray(F, x, o + i));
        }
        if (i < n) {
            var rest = Lanes.first(n - i);
            FloatVector v = FloatVector.fromArray(F, x, o + i, rest);
            b = Lanes.larger(b, all(Float.NEGATIVE_INFINITY).blend(v, rest));
        }
        FloatVector top = Lanes.larger(b, Lanes.larger(a, all(Float.NEGATIVE_INFINITY)));
        return Lanes.max(Lanes.larger(d, Lanes.larger(c, top)));
    }

    /// Returns the largest element, NaN if one is; n is at least 1.
    static float max(float[] x, int o, int n) {
        FloatVector a = all(x[o]);
        int i = 0;
        for (; i <= n - V; i += V) {
            a = FloatVector.fromArray(F, x, o + i).max(a);
        }
        float max = Lanes.max(a);
        for (; i < n; i++) {
            max = Math.max(max, x[o + i]);
        }
        return max;
    }

    /// Returns the smallest element, NaN if one is; n is at least 1.
    static float min(float[] x, int o, int n) {
        FloatVector a = all(x[o]);
        int i = 0;
        for (; i <= n - V; i += V) {
            a = FloatVector.fromArray(F, x, o + i).min(a);
        }
        float min = Lanes.min(a);
        for (; i < n; i++) {
            min = Math.min(min, x[o + i]);
        }
        return min;
    }
}
