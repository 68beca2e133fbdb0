package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static io.github.panagrad.engine.cpu.QueryTile.KEYS;
import static io.github.panagrad.engine.cpu.QueryTile.QUERIES;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/// Attention, out = softmax(scale · q·kᵀ + mask)·v, tile by tile with a running softmax; the scores
/// of a whole sequence never exist (Dao et al., "FlashAttention", 2022, on a cache instead of a
/// GPU).
///
/// Tiles that the mask hides entirely are not computed.
public final class AttentionForward {
    /// Work that is worth a thread's while, in multiplications.
    private static final long GRAIN = 2_000_000;

    private AttentionForward() {}

    /// Computes the attention of all heads.
    ///
    /// Shapes: q, out [B, T, H, D] · k, v [B, S, kvHeads, D]; lse [B, H, T]. A query that sees no
    /// key gets zeros, and −∞ as its log-sum-exp.
    ///
    /// @param lse receives the logarithm of the sum of the exponentials of each query's scores,
    ///     which the derivative needs; null if none is wanted
    /// @param lseOffset position of its first element
    public static void run(
            AttentionProblem problem,
            HeadView q,
            HeadView k,
            HeadView v,
            HeadView out,
            float @Nullable [] lse,
            int lseOffset) {
        var ranges = new KeyRanges(problem);
        if (problem.queries() <= AttentionDecode.MOST_QUERIES) {
            AttentionDecode.run(problem, ranges, q, k, v, out, lse, lseOffset);
            return;
        }
        int tiles = (problem.queries() - 1) / QUERIES + 1;
        int heads = problem.batch() * problem.heads();
        long work = 2L * problem.keys() * problem.dim() * Math.min(QUERIES, problem.queries());
        int grain = (int) Math.max(1, Math.min(tiles, GRAIN / Math.max(1, work)));
        Parallel.forRange(
                heads * tiles,
                grain,
                (from, to) -> {
                    var pass = new Pass(problem, ranges, q, k, v, out, lse, lseOffset);
                    for (int i = from; i < to; i++) {
                        // The last queries of a causal sequence see most: hand them out first.
                        int t = (tiles - 1 - i % tiles) * QUERIES;
                        int head = i / tiles;
                        pass.tile(head / problem.heads(), head % problem.heads(), t);
                    }
                    pass.close();
                });
    }

    /// Scratch of one thread.
    private static final class Pass {
        private final AttentionProblem problem;
        private final HeadView q;
        private final HeadView k;
        private final HeadView v;
        private final HeadView out;
        private final float @Nullable [] lse;
        private final int lseOffset;
        private final int dim;
        private final int width;
        private final QueryTile tile;
        private final RunningSoftmax softmax = new RunningSoftmax();
        private final float[] queryColumns;
        private final float[] keyRows;
        private final float[] valueRows;
        private final float[] scores;
        private final float[] result;

        Pass(
                AttentionProblem problem,
                KeyRanges ranges,
                HeadView q,
                HeadView k,
                HeadView v,
                HeadView out,
                float @Nullable [] lse,
                int lseOffset) {
            this.problem = problem;
            this.q = q;
            this.k = k;
            this.v = v;
            this.out = out;
            this.lse = lse;
            this.lseOffset = lseOffset;
            dim = problem.dim();
            width = TileProduct.padLanes(dim);
            tile = new QueryTile(problem, ranges);
            queryColumns = Pool.floats().acquire(dim * QUERIES);
            keyRows = Pool.floats().acquire(KEYS * width);
            valueRows = Pool.floats().acquire(KEYS * width);
            scores = Pool.floats().acquire((KEYS + 1) * QUERIES);
            result = Pool.floats().acquire(QUERIES * width);
        }

        void close() {
            Pool.floats().release(queryColumns);
            Pool.floats().release(keyRows);
            Pool.floats().release(valueRows);
            Pool.floats().release(scores);
            Pool.floats().release(result);
        }

        void tile(int b, int h, int t) {
            tile.aim(b, t);
            int lanes = tile.lanes();
            q.copyColumns(
                    b, t, h, tile.queries(), dim, problem.scale(), queryColumns, QUERIES, lanes);
            softmax.reset();
            Arrays.fill(result, 0, lanes * width, 0);
            for (int key = tile.first(); key < tile.end(); key += KEYS) {
                keys(b, h / problem.group(), key);
            }
            finish(b, h, t);
        }

        private void keys(int b, int h, int key) {
            int n = Math.min(KEYS, tile.end() - key);
            int rows = TileProduct.padRows(n);
            if (key + rows <= problem.keys()) {
                tile.score(
                        key,
                        rows,
                        dim,
                        k.data(),
                        k.at(b, key, h),
                        k.timeStride(),
                        queryColumns,
                        scores);
            } else {
                k.copyRows(b, key, h, n, dim, keyRows, 0, width, rows);
                tile.score(key, rows, dim, keyRows, 0, width, queryColumns, scores);
            }
            tile.mask(key, rows, scores);
            if (softmax.absorb(scores, rows, tile.lanes()) && key > tile.first()) {
                shrink(rows * QUERIES);
            }
            if (v.timeStride() == dim && dim == width) {
                tile.addToQueries(key, n, scores, v.data(), v.at(b, key, h), width, result, width);
            } else {
                // Read six times over, values that lie far apart would push each other out of the
                // first-level cache; keys are read only once.
                v.copyRows(b, key, h, n, dim, valueRows, 0, width, n);
                tile.addToQueries(key, n, scores, valueRows, 0, width, result, width);
            }
        }

        /// Multiplies row i of the result by the i-th factor.
        private void shrink(int factors) {
            for (int i = 0; i < tile.queries(); i++) {
                FloatVector factor = FloatVector.broadcast(F, scores[factors + i]);
                for (int at = i * width; at < (i + 1) * width; at += V) {
                    FloatVector.fromArray(F, result, at).mul(factor).intoArray(result, at);
                }
            }
        }

        private void finish(int b, int h, int t) {
            int n = tile.queries();
            int row = lseOffset + (b * problem.heads() + h) * problem.queries() + t;
            for (int i = 0; i < n; i++) {
                out.writeRows(b, t + i, h, 1, dim, softmax.inverseSum(i), result, i * width, width);
                if (lse != null) {
                    lse[row + i] = softmax.logSumExp(i);
                }
            }
        }
    }
}
