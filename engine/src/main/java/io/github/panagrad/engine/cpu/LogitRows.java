package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static io.github.panagrad.engine.cpu.Lanes.all;
import static jdk.incubator.vector.VectorOperators.ABS;
import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.MAX;
import static jdk.incubator.vector.VectorOperators.NE;

import jdk.incubator.vector.FloatVector;

/// What the loss of a head does to a row of logits, or to the part of it that a block holds.
///
/// Nothing here knows tokens or targets, and nothing is parallel.
final class LogitRows {
    private LogitRows() {}

    /// Replaces z by c·tanh(z / c).
    static void cap(float[] z, int o, int n, float c) {
        FloatVector over = all(1 / c);
        for (int i = 0; i < n; i += V) {
            var rest = Lanes.first(n - i);
            FloatVector x = FloatVector.fromArray(F, z, o + i, rest);
            VectorMath.tanh(x.mul(over)).mul(c).intoArray(z, o + i, rest);
        }
    }

    /// Returns Σ exp(z − max)·z.
    static double weightedExpSum(float[] z, int o, int n, float max) {
        double sum = 0;
        for (int i = 0; i < n; i += RowFolds.BLOCK) {
            sum += weightedBlock(z, o + i, Math.min(RowFolds.BLOCK, n - i), max);
        }
        return sum;
    }

    private static float weightedBlock(float[] z, int o, int n, float max) {
        FloatVector m = all(max);
        FloatVector s = all(0f);
        for (int i = 0; i < n; i += V) {
            var rest = Lanes.first(n - i);
            FloatVector x = FloatVector.fromArray(F, z, o + i, rest);
            // Lanes beyond the end hold 0 and add nothing.
            s = VectorMath.expNonPositive(x.sub(m, rest)).fma(x, s);
        }
        return Lanes.sum(s);
    }

    /// Returns where the first element equal to `value` is; n if there is none.
    static int indexOf(float[] z, int o, int n, float value) {
        for (int i = 0; i < n; i += V) {
            var rest = Lanes.first(n - i);
            var hit = FloatVector.fromArray(F, z, o + i, rest).compare(EQ, value).and(rest);
            if (hit.anyTrue()) {
                return i + hit.firstTrue();
            }
        }
        return n;
    }

    /// Replaces z by (exp(z − lse)·(slope + tilt·z) − shift)·(1 − bend·z²).
    ///
    /// With p the softmax that is the gradient of a sum of log-sum-exps and entropies, less a
    /// constant, taken through the soft cap if `bend` is 1/c².
    static void gradient(
            float[] z, int o, int n, float lse, float slope, float tilt, float shift, float bend) {
        int whole = F.loopBound(n);
        wholeGradient(z, o, whole, lse, slope, tilt, shift, bend);
        if (whole < n) {
            float[] rest = Tails.padded(z, o + whole, n - whole, 0f);
            wholeGradient(rest, 0, V, lse, slope, tilt, shift, bend);
            System.arraycopy(rest, 0, z, o + whole, n - whole);
        }
    }

    /// The same for whole vectors: with a mask in the loop, C2 boxed its vectors in some JVM runs
    /// (ADR 035).
    private static void wholeGradient(
            float[] z, int o, int n, float lse, float slope, float tilt, float shift, float bend) {
        FloatVector a = all(slope);
        FloatVector e = all(tilt);
        for (int i = 0; i < n; i += V) {
            FloatVector x = FloatVector.fromArray(F, z, o + i);
            FloatVector p = VectorMath.expNonPositive(x.sub(lse));
            FloatVector g = p.mul(x.fma(e, a)).sub(shift);
            FloatVector through = x.mul(-bend).fma(x, all(1f));
            g.mul(through).intoArray(z, o + i);
        }
    }

    /// Replaces z by (p·slope − shift)·(1 − bend·z²) with p = exp(z − lse), or by 0 where |p −
    /// uniform| is below the threshold. Adds Σ|p − uniform| to sums[at], and that of the zeros to the
    /// element behind it.
    static void filteredGradient(
            float[] z,
            int o,
            int n,
            float lse,
            float slope,
            float shift,
            float bend,
            float uniform,
            float threshold,
            double[] sums,
            int at) {
        for (int i = 0; i < n; i += RowFolds.BLOCK) {
            int count = Math.min(RowFolds.BLOCK, n - i);
            filteredBlock(z, o + i, count, lse, slope, shift, bend, uniform, threshold, sums, at);
        }
    }

    private static void filteredBlock(
            float[] z,
            int o,
            int n,
            float lse,
            float slope,
            float shift,
            float bend,
            float uniform,
            float threshold,
            double[] sums,
            int at) {
        FloatVector seen = all(0f);
        FloatVector lost = all(0f);
        for (int i = 0; i < n; i += V) {
            var rest = Lanes.first(n - i);
            FloatVector x = FloatVector.fromArray(F, z, o + i, rest);
            FloatVector p = VectorMath.expNonPositive(x.sub(lse));
            FloatVector size = all(0f).blend(p.sub(uniform).lanewise(ABS), rest);
            var small = size.compare(LT, threshold);
            seen = size.add(seen);
            lost = all(0f).blend(size, small).add(lost);
            FloatVector through = x.mul(-bend).fma(x, all(1f));
            FloatVector g = p.mul(slope).sub(shift).mul(through).blend(0f, small);
            g.intoArray(z, o + i, rest);
        }
        sums[at] += Lanes.sum(seen);
        sums[at + 1] += Lanes.sum(lost);
    }

    /// Raises largest[at] to the greatest |exp(z − lse) − uniform|, and adds their sum to sums[at].
    static void size(
            float[] z,
            int o,
            int n,
            float lse,
            float uniform,
            float[] largest,
            float[] sums,
            int at) {
        FloatVector most = all(0f);
        FloatVector sum = all(0f);
        for (int i = 0; i < n; i += V) {
            var rest = Lanes.first(n - i);
            FloatVector x = FloatVector.fromArray(F, z, o + i, rest);
            FloatVector p = VectorMath.expNonPositive(x.sub(lse));
            FloatVector size = all(0f).blend(p.sub(uniform).lanewise(ABS), rest);
            most = size.max(most);
            sum = size.add(sum);
        }
        largest[at] = Math.max(largest[at], most.reduceLanes(MAX));
        sums[at] += Lanes.sum(sum);
    }

    /// Counts the elements other than 0.
    static int count(float[] z, int o, int n) {
        int count = 0;
        for (int i = 0; i < n; i += V) {
            var rest = Lanes.first(n - i);
            count += FloatVector.fromArray(F, z, o + i, rest).compare(NE, 0f).trueCount();
        }
        return count;
    }

    /// Adds Σ g[v]·x[v] to y, over the rows x[v] that g is not 0 for.
    ///
    /// @param ld distance of the rows of x
    static void addSparse(
            float[] g, int o, int n, float[] x, int xo, int ld, float[] y, int yo, int dim) {
        for (int i = 0; i < n; i += V) {
            var rest = Lanes.first(n - i);
            long hits = FloatVector.fromArray(F, g, o + i, rest).compare(NE, 0f).toLong();
            for (; hits != 0; hits &= hits - 1) {
                int v = i + Long.numberOfTrailingZeros(hits);
                axpy(g[o + v], x, xo + v * ld, y, yo, dim);
            }
        }
    }

    /// Adds g[v]·x to each row y[v] that g is not 0 for.
    static void spreadSparse(
            float[] g, int o, int n, float[] x, int xo, float[] y, int yo, int ld, int dim) {
        for (int i = 0; i < n; i += V) {
            var rest = Lanes.first(n - i);
            long hits = FloatVector.fromArray(F, g, o + i, rest).compare(NE, 0f).toLong();
            for (; hits != 0; hits &= hits - 1) {
                int v = i + Long.numberOfTrailingZeros(hits);
                axpy(g[o + v], x, xo, y, yo + v * ld, dim);
            }
        }
    }

    private static void axpy(float a, float[] x, int xo, float[] y, int yo, int n) {
        FloatVector factor = all(a);
        for (int i = 0; i < n; i += V) {
            var rest = Lanes.first(n - i);
            factor.fma(
                            FloatVector.fromArray(F, x, xo + i, rest),
                            FloatVector.fromArray(F, y, yo + i, rest))
                    .intoArray(y, yo + i, rest);
        }
    }
}
