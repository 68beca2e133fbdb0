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

/// The derivative of attention, tile by tile, with the scores computed again from q, k and the
/// saved log-sum-exp (Dao et al., "FlashAttention", 2022).
///
/// With P = exp(scale·q·kᵀ − lse) and Δ = rowsum(dout∘out): dv = Pᵀ·dout, dS = P∘(dout·vᵀ − Δ), dq
/// = scale·dS·k, dk = scale·dSᵀ·q.
///
/// A key/value head is summed up by one thread in a fixed order, or in a fixed number of parts when
/// there are few of them, so the bits do not depend on the number of threads.
public final class AttentionBackward {
    /// Pieces of work to aim for, so that several threads have something to do.
    private static final int PIECES = 8;

    private AttentionBackward() {}

    /// Computes the gradients that are wanted.
    ///
    /// Shapes: as in [AttentionForward#run]; dq, dk, dv are shaped as q, k, v and are overwritten.
    ///
    /// @param out the result of the forward pass
    /// @param dout the gradient of it
    /// @param dq null if it is not wanted, as are dk and dv
    public static void run(
            AttentionProblem problem,
            HeadView q,
            HeadView k,
            HeadView v,
            HeadView out,
            float[] lse,
            int lseOffset,
            HeadView dout,
            @Nullable HeadView dq,
            @Nullable HeadView dk,
            @Nullable HeadView dv) {
        var ranges = new KeyRanges(problem);
        int heads = problem.batch() * problem.kvHeads();
        int tiles = (problem.queries() + QUERIES - 1) / QUERIES;
        int parts = Math.max(1, Math.min(PIECES / Math.max(1, heads), tiles * problem.group()));
        int width = TileProduct.padLanes(problem.dim());
        float[][] partial = new float[parts > 1 ? heads * parts : 0][];
        Parallel.forRange(
                heads * parts,
                1,
                (from, to) -> {
                    for (int i = from; i < to; i++) {
                        var pass =
                                new Pass(problem, ranges, q, k, v, out, lse, lseOffset, dout, dq);
                        pass.head(i / parts, i % parts, parts, dk != null, dv != null);
                        if (parts == 1) {
                            write(problem, i, pass.sums, dk, dv);
                            Pool.floats().release(pass.sums);
                        } else {
                            partial[i] = pass.sums;
                        }
                        pass.close();
                    }
                });
        if (parts > 1) {
            combine(partial, parts, 2 * TileProduct.padRows(problem.keys()) * width);
            for (int i = 0; i < heads; i++) {
                write(problem, i, partial[i * parts], dk, dv);
            }
            for (float[] sums : partial) {
                Pool.floats().release(sums);
            }
        }
    }

    /// Adds the other parts of each head to the first one, in order.
    private static void combine(float[][] partial, int parts, int size) {
        int heads = partial.length / parts;
        int block = 1 << 14;
        int blocks = (size + block - 1) / block;
        Parallel.forRange(
                heads * blocks,
                4,
                (from, to) -> {
                    for (int i = from; i < to; i++) {
                        int start = i % blocks * block;
                        int end = Math.min(size, start + block);
                        float[] sum = partial[i / blocks * parts];
                        for (int part = 1; part < parts; part++) {
                            float[] more = partial[i / blocks * parts + part];
                            for (int e = start; e < end; e++) {
                                sum[e] += more[e];
                            }
                        }
                    }
                });
    }

    private static void write(
            AttentionProblem problem,
            int head,
            float[] sums,
            @Nullable HeadView dk,
            @Nullable HeadView dv) {
        int b = head / problem.kvHeads();
        int h = head % problem.kvHeads();
        int dim = problem.dim();
        int width = TileProduct.padLanes(dim);
        if (dk != null) {
            dk.writeRows(b, 0, h, problem.keys(), dim, problem.scale(), sums, 0, width);
        }
        if (dv != null) {
            int half = TileProduct.padRows(problem.keys()) * width;
            dv.writeRows(b, 0, h, problem.keys(), dim, 1, sums, half, width);
        }
    }

    /// One part of the queries of one key/value head.
    private static final class Pass {
        /// dk, then dv, each [padded keys, width].
        final float[] sums;

        private final AttentionProblem problem;
        private final HeadView q;
        private final HeadView k;
        private final HeadView v;
        private final HeadView out;
        private final float[] lse;
        private final int lseOffset;
        private final HeadView dout;
        private final @Nullable HeadView dq;
        private final int dim;
        private final int width;
        private final int keyRows;
        private final QueryTile tile;
        private final float[] keyValues;
        private final float[] queryColumns;
        private final float[] queryRows;
        private final float[] doutColumns;
        private final float[] doutRows;
        private final float[] dqRows;
        private final float[] weights;
        private final float[] gradients;
        private final float[] base = new float[QUERIES];
        private final float[] delta = new float[QUERIES];

        Pass(
                AttentionProblem problem,
                KeyRanges ranges,
                HeadView q,
                HeadView k,
                HeadView v,
                HeadView out,
                float[] lse,
                int lseOffset,
                HeadView dout,
                @Nullable HeadView dq) {
            this.problem = problem;
            this.q = q;
            this.k = k;
            this.v = v;
            this.out = out;
            this.lse = lse;
            this.lseOffset = lseOffset;
            this.dout = dout;
            this.dq = dq;
            dim = problem.dim();
            width = TileProduct.padLanes(dim);
            keyRows = TileProduct.padRows(problem.keys());
            tile = new QueryTile(problem, ranges);
            var pool = Pool.floats();
            sums = pool.acquire(2 * keyRows * width);
            keyValues = pool.acquire(2 * keyRows * width);
            queryColumns = pool.acquire(dim * QUERIES);
            queryRows = pool.acquire(QUERIES * width);
            doutColumns = pool.acquire(dim * QUERIES);
            doutRows = pool.acquire(QUERIES * width);
            dqRows = pool.acquire(QUERIES * width);
            weights = pool.acquire(KEYS * QUERIES);
            gradients = pool.acquire(KEYS * QUERIES);
            // Where the mask hides all, gradients are not computed but do meet a weight of 0.
            Arrays.fill(gradients, 0);
        }

        /// Gives back everything but [#sums].
        void close() {
            var pool = Pool.floats();
            pool.release(keyValues);
            pool.release(queryColumns);
            pool.release(queryRows);
            pool.release(doutColumns);
            pool.release(doutRows);
            pool.release(dqRows);
            pool.release(weights);
            pool.release(gradients);
        }

        void head(int head, int part, int parts, boolean needsKey, boolean needsValue) {
            int b = head / problem.kvHeads();
            int h = head % problem.kvHeads();
            int half = keyRows * width;
            Arrays.fill(sums, 0, 2 * half, 0);
            k.copyRows(b, 0, h, problem.keys(), dim, keyValues, 0, width, keyRows);
            v.copyRows(b, 0, h, problem.keys(), dim, keyValues, half, width, keyRows);
            int tiles = (problem.queries() + QUERIES - 1) / QUERIES;
            for (int i = part; i < tiles * problem.group(); i += parts) {
                int query = h * problem.group() + i / tiles;
                queries(b, query, i % tiles * QUERIES, needsKey, needsValue);
            }
        }

        private void queries(int b, int h, int t, boolean needsKey, boolean needsValue) {
            load(b, h, t);
            Arrays.fill(dqRows, 0, tile.lanes() * width, 0);
            for (int key = tile.first(); key < tile.end(); key += KEYS) {
                keys(key, Math.min(KEYS, tile.end() - key), needsKey, needsValue);
            }
            if (dq != null) {
                dq.writeRows(b, t, h, tile.queries(), dim, problem.scale(), dqRows, 0, width);
            }
        }

        private void load(int b, int h, int t) {
            tile.aim(b, t);
            int n = tile.queries();
            int lanes = tile.lanes();
            float scale = problem.scale();
            q.copyColumns(b, t, h, n, dim, scale, queryColumns, QUERIES, lanes);
            q.copyRows(b, t, h, n, dim, queryRows, 0, width, n);
            dout.copyColumns(b, t, h, n, dim, 1, doutColumns, QUERIES, lanes);
            dout.copyRows(b, t, h, n, dim, doutRows, 0, width, n);
            int row = lseOffset + (b * problem.heads() + h) * problem.queries() + t;
            for (int i = 0; i < lanes; i++) {
                // What sees no key, or is no query, gets weights of exp(−∞) = 0.
                float e = i < n ? lse[row + i] : Float.NEGATIVE_INFINITY;
                base[i] = e == Float.NEGATIVE_INFINITY ? Float.POSITIVE_INFINITY : e;
                delta[i] =
                        i < n
                                ? (float)
                                        RowFolds.dot(
                                                out.data(),
                                                out.at(b, t + i, h),
                                                doutRows,
                                                i * width,
                                                dim)
                                : 0;
            }
        }

        private void keys(int key, int n, boolean needsKey, boolean needsValue) {
            int rows = TileProduct.padRows(n);
            int half = keyRows * width;
            int at = key * width;
            tile.score(key, rows, dim, keyValues, at, width, queryColumns, weights);
            tile.mask(key, rows, weights);
            tile.score(key, rows, dim, keyValues, half + at, width, doutColumns, gradients);
            differentiate(rows, tile.lanes());
            if (needsValue) {
                tile.addToKeys(key, rows, weights, doutRows, sums, half + at, width);
            }
            if (needsKey) {
                tile.addToKeys(key, rows, gradients, queryRows, sums, at, width);
            }
            if (dq != null) {
                tile.addToQueries(key, n, gradients, keyValues, at, width, dqRows, width);
            }
        }

        /// Turns scores into weights, and gradients of weights into gradients of scores.
        private void differentiate(int rows, int lanes) {
            for (int i = 0; i < lanes; i += V) {
                FloatVector lseOf = FloatVector.fromArray(F, base, i);
                FloatVector deltaOf = FloatVector.fromArray(F, delta, i);
                for (int at = i; at < i + rows * QUERIES; at += QUERIES) {
                    FloatVector p =
                            VectorMath.expNonPositive(
                                    FloatVector.fromArray(F, weights, at).sub(lseOf));
                    p.intoArray(weights, at);
                    FloatVector.fromArray(F, gradients, at)
                            .sub(deltaOf)
                            .mul(p)
                            .intoArray(gradients, at);
                }
            }
        }
    }
}
