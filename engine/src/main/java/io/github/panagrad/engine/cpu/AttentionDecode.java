package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/// Attention of a few queries to many keys, as in generation: every key and value is read once,
/// where it lies, and is used for all query heads that share it.
///
/// The scores of one query are kept whole, as many floats as there are keys; tiles would be mostly
/// empty.
final class AttentionDecode {
    /// More queries than this are better off in tiles.
    static final int MOST_QUERIES = 4;

    private static final long GRAIN = 100_000;

    private AttentionDecode() {}

    static void run(
            AttentionProblem problem,
            KeyRanges ranges,
            HeadView q,
            HeadView k,
            HeadView v,
            HeadView out,
            float @Nullable [] lse,
            int lseOffset) {
        int heads = problem.kvHeads();
        long work = (long) problem.keys() * problem.dim() * problem.group() * problem.queries();
        int grain = (int) Math.max(1, Math.min(Integer.MAX_VALUE, GRAIN / Math.max(1, work)));
        Parallel.forRange(
                problem.batch() * heads,
                grain,
                (from, to) -> {
                    float[] scores = Pool.floats().acquire(problem.keys() * problem.group());
                    float[] lanes = Pool.floats().acquire(8 * V);
                    float[] sums = Pool.floats().acquire(8);
                    for (int i = from; i < to; i++) {
                        for (int t = 0; t < problem.queries(); t++) {
                            attend(
                                    problem, ranges, q, k, v, out, lse, lseOffset, scores, lanes,
                                    sums, i / heads, t, i % heads);
                        }
                    }
                    Pool.floats().release(scores);
                    Pool.floats().release(lanes);
                    Pool.floats().release(sums);
                });
    }

    private static void attend(
            AttentionProblem problem,
            KeyRanges ranges,
            HeadView q,
            HeadView k,
            HeadView v,
            HeadView out,
            float @Nullable [] lse,
            int lseOffset,
            float[] scores,
            float[] lanes,
            float[] sums,
            int b,
            int t,
            int kvHead) {
        int from = ranges.from(b, t);
        int n = ranges.to(b, t) - from;
        int dim = problem.dim();
        int group = problem.group();
        for (int g = 0; g < group; g += 2) {
            score(problem, q, k, b, t, kvHead, g, from, n, scores, lanes, sums);
        }
        boolean exact = ranges.exact(b);
        for (int g = 0; g < group; g++) {
            int h = kvHead * group + g;
            int row = g * problem.keys();
            if (!exact) {
                hide(problem, ranges, b, t, from, n, scores, row);
            }
            float max = RowFolds.maxNumber(scores, row, n);
            double sum =
                    max == Float.NEGATIVE_INFINITY && !exact
                            ? 0
                            : SoftmaxRows.exponentials(scores, row, scores, row, n, max);
            int to = out.at(b, t, h);
            if (sum == 0) {
                java.util.Arrays.fill(out.data(), to, to + dim, 0);
            } else {
                mix(
                        scores,
                        row,
                        n,
                        (float) (1 / sum),
                        v.data(),
                        v.at(b, from, kvHead),
                        v.timeStride(),
                        dim,
                        out.data(),
                        to);
            }
            if (lse != null) {
                lse[lseOffset + (b * problem.heads() + h) * problem.queries() + t] =
                        sum == 0 ? Float.NEGATIVE_INFINITY : (float) (max + Math.log(sum));
            }
        }
    }

    /// Computes the scores of one or two query heads from `g` on with `n` keys, four keys at a time:
    /// adding up the lanes of four products at once costs little more than of one.
    private static void score(
            AttentionProblem problem,
            HeadView q,
            HeadView k,
            int b,
            int t,
            int kvHead,
            int g,
            int from,
            int n,
            float[] scores,
            float[] lanes,
            float[] sums) {
        int dim = problem.dim();
        int full = dim / V * V;
        int rows = Math.min(2, problem.group() - g);
        int head = kvHead * problem.group() + g;
        float[] x = q.data();
        int x0 = q.at(b, t, head);
        float[] w = k.data();
        for (int j = 0; j < n; j += 4) {
            int count = Math.min(4, n - j);
            int w0 = k.at(b, from + j, kvHead);
            int w1 = k.at(b, from + Math.min(j + 1, n - 1), kvHead);
            int w2 = k.at(b, from + Math.min(j + 2, n - 1), kvHead);
            int w3 = k.at(b, from + Math.min(j + 3, n - 1), kvHead);
            if (rows == 1) {
                DotTile.dot1x4(full, x, x0, w, w0, w1, w2, w3, lanes, 0);
            } else {
                int x1 = q.at(b, t, head + 1);
                DotTile.dot2x4(full, x, x0, x1, w, w0, w1, w2, w3, lanes, 0);
            }
            for (int i = 0; i < rows; i++) {
                DotTile.sums(4, lanes, 4 * i * V, V, sums, 4 * i, false);
                int query = q.at(b, t, head + i);
                int to = (g + i) * problem.keys() + j;
                for (int c = 0; c < count; c++) {
                    float sum = sums[4 * i + c];
                    int key = w0 + c * k.timeStride();
                    for (int d = full; d < dim; d++) {
                        sum += x[query + d] * w[key + d];
                    }
                    scores[to + c] = problem.scale() * sum;
                }
            }
        }
    }

    private static void hide(
            AttentionProblem problem,
            KeyRanges ranges,
            int b,
            int t,
            int from,
            int n,
            float[] scores,
            int row) {
        int own = ranges.segment(b, problem.keys() - problem.queries() + t);
        for (int j = 0; j < n; j++) {
            if (ranges.hidden(b, from + j) || ranges.segment(b, from + j) != own) {
                scores[row + j] = Float.NEGATIVE_INFINITY;
            }
        }
    }

    /// Writes Σ scores[j] · factor · values[j] for the `n` rows of values.
    private static void mix(
            float[] scores,
            int row,
            int n,
            float factor,
            float[] values,
            int valueOff,
            int stride,
            int dim,
            float[] out,
            int outOff) {
        int d = 0;
        for (; d + 4 * V <= dim; d += 4 * V) {
            FloatVector s0 = FloatVector.zero(F);
            FloatVector s1 = s0;
            FloatVector s2 = s0;
            FloatVector s3 = s0;
            int at = valueOff + d;
            for (int j = 0; j < n; j++) {
                FloatVector p = FloatVector.broadcast(F, scores[row + j]);
                s0 = p.fma(FloatVector.fromArray(F, values, at), s0);
                s1 = p.fma(FloatVector.fromArray(F, values, at + V), s1);
                s2 = p.fma(FloatVector.fromArray(F, values, at + 2 * V), s2);
                s3 = p.fma(FloatVector.fromArray(F, values, at + 3 * V), s3);
                at += stride;
            }
            s0.mul(factor).intoArray(out, outOff + d);
            s1.mul(factor).intoArray(out, outOff + d + V);
            s2.mul(factor).intoArray(out, outOff + d + 2 * V);
            s3.mul(factor).intoArray(out, outOff + d + 3 * V);
        }
        for (; d + V <= dim; d += V) {
            FloatVector even = FloatVector.zero(F);
            FloatVector odd = even;
            int at = valueOff + d;
            int j = 0;
            for (; j + 2 <= n; j += 2) {
                even =
                        FloatVector.broadcast(F, scores[row + j])
                                .fma(FloatVector.fromArray(F, values, at), even);
                odd =
                        FloatVector.broadcast(F, scores[row + j + 1])
                                .fma(FloatVector.fromArray(F, values, at + stride), odd);
                at += 2 * stride;
            }
            if (j < n) {
                even =
                        FloatVector.broadcast(F, scores[row + j])
                                .fma(FloatVector.fromArray(F, values, at), even);
            }
            even.add(odd).mul(factor).intoArray(out, outOff + d);
        }
        if (d < dim) {
            java.util.Arrays.fill(out, outOff + d, outOff + dim, 0);
            int at = valueOff;
            for (int j = 0; j < n; j++) {
                float p = scores[row + j] * factor;
                for (int e = d; e < dim; e++) {
                    out[outOff + e] += p * values[at + e];
                }
                at += stride;
            }
        }
    }
}
