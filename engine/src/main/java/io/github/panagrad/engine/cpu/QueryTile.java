package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.I;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static io.github.panagrad.engine.cpu.TileProduct.ROWS;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// The queries that an attention kernel works on at a time: the mask, and products that skip what
/// it hides.
///
/// Scores lie [keys, queries] with the queries along the lanes: maxima, sums and range ends are
/// vectors, nothing is reduced across lanes, and the scores serve as an operand of the next product
/// in either order (see [TileProduct]). Within a tile that is partly hidden the products leave out
/// groups of eight keys or queries, so that little more than the visible half of a diagonal tile is
/// computed.
final class QueryTile {
    /// Queries in a tile, and the row length of scores: three vectors of 16, and a multiple of the
    /// rows of all kernels.
    static final int QUERIES = TileProduct.PITCH;

    /// Keys in a tile, for the same reason. A tile's scores, keys, values and results for 64
    /// dimensions are 45 KB together, about a first-level cache.
    static final int KEYS = 48;

    private final AttentionProblem problem;
    private final KeyRanges ranges;
    private final int[] from = new int[QUERIES];
    private final int[] to = new int[QUERIES];
    private final int[] segment = new int[QUERIES];
    private final int[] groupFrom = new int[QUERIES / ROWS];
    private final int[] groupTo = new int[QUERIES / ROWS];
    private final float[] product = new float[TileProduct.TILE];
    private int batch;
    private int queries;
    private int lanes;
    private int first;
    private int end;
    private int commonFrom;
    private int commonTo;

    QueryTile(AttentionProblem problem, KeyRanges ranges) {
        this.problem = problem;
        this.ranges = ranges;
    }

    /// Moves on to the queries of sequence b from t on.
    void aim(int b, int t) {
        batch = b;
        queries = Math.min(QUERIES, problem.queries() - t);
        lanes = TileProduct.padLanes(TileProduct.padRows(queries));
        first = Integer.MAX_VALUE;
        end = 0;
        commonFrom = 0;
        commonTo = Integer.MAX_VALUE;
        Arrays.fill(from, queries, QUERIES, 0);
        Arrays.fill(to, queries, QUERIES, 0);
        Arrays.fill(groupFrom, Integer.MAX_VALUE);
        Arrays.fill(groupTo, 0);
        for (int i = 0; i < queries; i++) {
            from[i] = ranges.from(b, t + i);
            to[i] = ranges.to(b, t + i);
            segment[i] = ranges.segment(b, problem.keys() - problem.queries() + t + i);
            if (from[i] < to[i]) {
                int group = i / ROWS;
                groupFrom[group] = Math.min(groupFrom[group], from[i]);
                groupTo[group] = Math.max(groupTo[group], to[i]);
                first = Math.min(first, from[i]);
                end = Math.max(end, to[i]);
            }
            commonFrom = Math.max(commonFrom, from[i]);
            commonTo = Math.min(commonTo, to[i]);
        }
        first = end == 0 ? 0 : first & -ROWS;
    }

    /// Returns how many queries there are.
    int queries() {
        return queries;
    }

    /// Returns the number of queries rounded up to full vectors and full rows.
    int lanes() {
        return lanes;
    }

    /// Returns the first key to look at, a multiple of [TileProduct#ROWS].
    int first() {
        return first;
    }

    /// Returns the end, exclusive, of the keys to look at; not above [#first] if there are none.
    int end() {
        return end;
    }

    private boolean allSeen(int key, int keys) {
        return key >= commonFrom && key + keys <= commonTo;
    }

    /// First of the queries, in groups, that see any of eight keys.
    private int firstQuery(int key) {
        int group = 0;
        while (group * ROWS < queries
                && (groupTo[group] <= key || groupFrom[group] >= key + ROWS)) {
            group++;
        }
        return group * ROWS;
    }

    /// End of the queries, in groups, that see any of eight keys.
    private int endQuery(int key) {
        int group = TileProduct.padRows(queries) / ROWS;
        while (group > 0 && (groupTo[group - 1] <= key || groupFrom[group - 1] >= key + ROWS)) {
            group--;
        }
        return group * ROWS;
    }

    /// Computes `scores[keys][queries] = a[keys][dim] · b[dim][queries]` for what is to be seen;
    /// the rest keeps its contents.
    ///
    /// @param rows keys from `key` on, a multiple of [TileProduct#ROWS]
    void score(
            int key, int rows, int dim, float[] a, int aOff, int lda, float[] b, float[] scores) {
        if (allSeen(key, rows)) {
            TileProduct.multiply(
                    rows, lanes, dim, a, aOff, lda, 1, b, 0, QUERIES, scores, 0, QUERIES, null);
            return;
        }
        for (int j = 0; j < rows; j += ROWS) {
            int low = firstQuery(key + j) / V * V;
            int high = TileProduct.padLanes(endQuery(key + j));
            if (low < high) {
                TileProduct.multiply(
                        ROWS,
                        high - low,
                        dim,
                        a,
                        aOff + j * lda,
                        lda,
                        1,
                        b,
                        low,
                        QUERIES,
                        scores,
                        j * QUERIES + low,
                        QUERIES,
                        null);
            }
        }
    }

    /// Adds `scores[keys][queries]ᵀ · b[keys][width]` to `c[queries][width]`.
    void addToQueries(
            int key, int keys, float[] scores, float[] b, int bOff, int ldb, float[] c, int width) {
        if (allSeen(key, keys)) {
            TileProduct.multiply(
                    TileProduct.padRows(queries),
                    width,
                    keys,
                    scores,
                    0,
                    1,
                    QUERIES,
                    b,
                    bOff,
                    ldb,
                    c,
                    0,
                    width,
                    product);
            return;
        }
        for (int i = 0; i < queries; i += ROWS) {
            int low = Math.max(0, groupFrom[i / ROWS] - key);
            int high = Math.min(keys, groupTo[i / ROWS] - key);
            if (low < high) {
                TileProduct.multiply(
                        ROWS,
                        width,
                        high - low,
                        scores,
                        low * QUERIES + i,
                        1,
                        QUERIES,
                        b,
                        bOff + low * ldb,
                        ldb,
                        c,
                        i * width,
                        width,
                        product);
            }
        }
    }

    /// Adds `scores[keys][queries] · b[queries][width]` to `c[keys][width]`.
    ///
    /// @param rows keys from `key` on, a multiple of [TileProduct#ROWS]
    void addToKeys(int key, int rows, float[] scores, float[] b, float[] c, int cOff, int width) {
        if (allSeen(key, rows)) {
            TileProduct.multiply(
                    rows, width, queries, scores, 0, QUERIES, 1, b, 0, width, c, cOff, width,
                    product);
            return;
        }
        for (int j = 0; j < rows; j += ROWS) {
            int low = firstQuery(key + j);
            int high = Math.min(queries, endQuery(key + j));
            if (low < high) {
                TileProduct.multiply(
                        ROWS,
                        width,
                        high - low,
                        scores,
                        j * QUERIES + low,
                        QUERIES,
                        1,
                        b,
                        low * width,
                        width,
                        c,
                        cOff + j * width,
                        width,
                        product);
            }
        }
    }

    /// Turns the scores of what is not to be seen among `rows` keys from `key` on into −∞.
    void mask(int key, int rows, float[] scores) {
        boolean exact = ranges.exact(batch);
        if (exact && allSeen(key, rows)) {
            return;
        }
        for (int j = 0; j < rows; j++) {
            int row = j * QUERIES;
            int k = key + j;
            if (k >= problem.keys() || (!exact && ranges.hidden(batch, k))) {
                Arrays.fill(scores, row, row + lanes, Float.NEGATIVE_INFINITY);
                continue;
            }
            maskRow(k, scores, row);
            if (!exact) {
                maskOtherSegments(ranges.segment(batch, k), scores, row);
            }
        }
    }

    private void maskRow(int key, float[] scores, int row) {
        for (int i = 0; i < lanes; i += V) {
            VectorMask<Integer> seen =
                    IntVector.fromArray(I, from, i)
                            .compare(VectorOperators.LE, key)
                            .and(IntVector.fromArray(I, to, i).compare(VectorOperators.GT, key));
            keep(seen, scores, row + i);
        }
    }

    private void maskOtherSegments(int keySegment, float[] scores, int row) {
        for (int i = 0; i < lanes; i += V) {
            keep(
                    IntVector.fromArray(I, segment, i).compare(VectorOperators.EQ, keySegment),
                    scores,
                    row + i);
        }
    }

    private static void keep(VectorMask<Integer> seen, float[] scores, int at) {
        FloatVector.broadcast(F, Float.NEGATIVE_INFINITY)
                .blend(FloatVector.fromArray(F, scores, at), seen.cast(F))
                .intoArray(scores, at);
    }
}
