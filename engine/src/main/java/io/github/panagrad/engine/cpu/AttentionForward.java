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
/// Keys and values are copied once for all queries that see them, rows one after the other: in their
/// tensors the rows of a head lie as far apart as a token is wide, often a power of two, so that a
/// tile of them falls into a few sets of the cache, and every tile of queries would pay for it.
///
/// Tiles that the mask hides entirely are not computed.
public final class AttentionForward {
    /// Work that is worth a thread's while, in multiplications.
    private static final long GRAIN = 2_000_000;

    /// Keys and values copied at a time, in floats: 16 MB, or those of one head.
    private static final int COPIES = 1 << 22;

    /// Keys that are copied together.
    private static final int BLOCK = 128;

    /// Elements whose copying is worth a thread's while.
    private static final int GATHER_GRAIN = 1 << 16;

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
        int heads = problem.batch() * problem.kvHeads();
        int width = TileProduct.padLanes(problem.dim());
        int half = TileProduct.padRows(problem.keys()) * width;
        int most = Math.max(1, Math.min(heads, COPIES / Math.max(1, 2 * half)));
        float[] rows = Pool.floats().acquire(most * 2 * half);
        for (int first = 0; first < heads; first += most) {
            int count = Math.min(most, heads - first);
            gather(problem, ranges, k, v, first, count, rows);
            attend(problem, ranges, q, out, lse, lseOffset, first, count, rows);
        }
        Pool.floats().release(rows);
    }

    /// Copies the keys and values of some heads: first all keys of a head, then all its values.
    private static void gather(
            AttentionProblem problem,
            KeyRanges ranges,
            HeadView k,
            HeadView v,
            int first,
            int count,
            float[] rows) {
        int width = TileProduct.padLanes(problem.dim());
        int half = TileProduct.padRows(problem.keys()) * width;
        int blocks = (problem.keys() + BLOCK - 1) / BLOCK;
        Parallel.forRange(
                count * blocks,
                GATHER_GRAIN / Math.max(1, BLOCK * width) + 1,
                (from, to) -> {
                    for (int i = from; i < to; i++) {
                        int head = first + i / blocks;
                        int b = head / problem.kvHeads();
                        int h = head % problem.kvHeads();
                        int key = Math.max(i % blocks * BLOCK, ranges.first(b));
                        int n = Math.min((i % blocks + 1) * BLOCK, ranges.end(b)) - key;
                        if (n > 0) {
                            int at = i / blocks * 2 * half + key * width;
                            int dim = problem.dim();
                            k.copyRows(b, key, h, n, dim, rows, at, width, n);
                            v.copyRows(b, key, h, n, dim, rows, at + half, width, n);
                        }
                    }
                });
    }

    private static void attend(
            AttentionProblem problem,
            KeyRanges ranges,
            HeadView q,
            HeadView out,
            float @Nullable [] lse,
            int lseOffset,
            int first,
            int count,
            float[] rows) {
        int tiles = (problem.queries() - 1) / QUERIES + 1;
        int group = problem.group();
        long work = 2L * problem.keys() * problem.dim() * Math.min(QUERIES, problem.queries());
        int grain = (int) Math.max(1, Math.min(tiles, GRAIN / Math.max(1, work)));
        Parallel.forRange(
                count * group * tiles,
                grain,
                (from, to) -> {
                    var pass = new Pass(problem, ranges, q, out, lse, lseOffset, rows);
                    for (int i = from; i < to; i++) {
                        // The last queries of a causal sequence see most: hand them out first.
                        int t = (tiles - 1 - i % tiles) * QUERIES;
                        int head = first * group + i / tiles;
                        pass.tile(head / problem.heads(), head % problem.heads(), t, i / tiles);
                    }
                    pass.close();
                });
    }

    /// Scratch of one thread.
    private static final class Pass {
        private final AttentionProblem problem;
        private final HeadView q;
        private final HeadView out;
        private final float @Nullable [] lse;
        private final int lseOffset;
        private final float[] rows;
        private final int dim;
        private final int width;
        private final int half;
        private final QueryTile tile;
        private final RunningSoftmax softmax = new RunningSoftmax();
        private final float[] queryColumns;
        private final float[] scores;
        private final float[] result;

        Pass(
                AttentionProblem problem,
                KeyRanges ranges,
                HeadView q,
                HeadView out,
                float @Nullable [] lse,
                int lseOffset,
                float[] rows) {
            this.problem = problem;
            this.q = q;
            this.out = out;
            this.lse = lse;
            this.lseOffset = lseOffset;
            this.rows = rows;
            dim = problem.dim();
            width = TileProduct.padLanes(dim);
            half = TileProduct.padRows(problem.keys()) * width;
            tile = new QueryTile(problem, ranges);
            queryColumns = Pool.floats().acquire(dim * QUERIES);
            scores = Pool.floats().acquire((KEYS + 1) * QUERIES);
            result = Pool.floats().acquire(QUERIES * width);
        }

        void close() {
            Pool.floats().release(queryColumns);
            Pool.floats().release(scores);
            Pool.floats().release(result);
        }

        /// Works on the queries of head h from t on; `place` counts the query heads since the first
        /// whose keys and values were copied.
        void tile(int b, int h, int t, int place) {
            tile.aim(b, t);
            int n = tile.queries();
            q.copyColumns(b, t, h, n, dim, problem.scale(), queryColumns, QUERIES, tile.lanes());
            softmax.reset();
            Arrays.fill(result, 0, tile.lanes() * width, 0);
            int keyRows = place / problem.group() * 2 * half;
            for (int key = tile.first(); key < tile.end(); key += KEYS) {
                keys(key, keyRows + key * width);
            }
            finish(b, h, t);
        }

        private void keys(int key, int at) {
            int n = Math.min(KEYS, tile.end() - key);
            int padded = TileProduct.padRows(n);
            // Keys after the last one are whatever the copy has there: the mask hides them.
            tile.score(key, padded, dim, rows, at, width, queryColumns, scores);
            tile.mask(key, padded, scores);
            if (softmax.absorb(scores, padded, tile.lanes()) && key > tile.first()) {
                shrink(padded * QUERIES);
            }
            tile.addToQueries(key, n, scores, rows, at + half, width, result, width);
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
