package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.V;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;

/// Products of few rows with a large matrix, as in decoding, and of few columns, as in low-rank
/// adapters.
///
/// Packing the large matrix would cost more than the product. It is read where it lies: by dot
/// products if it is contiguous along k, else in strips of its columns. A product of few columns
/// is its own transpose, with the roles of A and B swapped.
final class FewRows {
    /// Up to so many rows this beats packing: 0.5 of peak against 0.2 at 4 rows.
    private static final int LIMIT = 24;

    /// Steps of k at a time, so that the few rows stay in the L2 cache.
    private static final int K_BLOCK = 4096;

    private static final boolean REGISTERS_32 = Tiles.ROWS == 8;

    /// Rows of the large matrix whose dot products are computed together.
    private static final int GROUP = REGISTERS_32 ? 6 : 4;

    /// Groups one row further each, after which the lanes are added: four sums side by side.
    private static final int STEPS = 4;

    /// The floats of a group's lanes, for up to four rows of X.
    private static final int TILE = 4 * GROUP * V;

    /// What a thread should at least multiply and add before it is worth to wake another: 20 µs.
    private static final int GRAIN = 1 << 20;

    private final int rows;
    private final int n;
    private final int k;
    private final float[] x;
    private final int xo;
    private final int ldx;
    private final Operand w;
    private final float[] c;
    private final int co;
    private final int rowStride;
    private final int columnStride;

    private FewRows(
            int rows,
            int n,
            int k,
            float[] x,
            int xo,
            int ldx,
            Operand w,
            float[] c,
            int co,
            int rowStride,
            int columnStride) {
        this.rows = rows;
        this.n = n;
        this.k = k;
        this.x = x;
        this.xo = xo;
        this.ldx = ldx;
        this.w = w;
        this.c = c;
        this.co = co;
        this.rowStride = rowStride;
        this.columnStride = columnStride;
    }

    /// Tells whether a product has so few rows or columns that it belongs here.
    static boolean suits(int m, int n) {
        return m <= LIMIT || n <= LIMIT;
    }

    /// Computes C [m, n] = A·B or C += A·B; all extents are positive.
    static void run(
            int m,
            int n,
            int k,
            Operand a,
            Operand b,
            float[] c,
            int co,
            int ldc,
            boolean accumulate) {
        boolean fewRows = m <= n;
        int rows = fewRows ? m : n;
        Operand few = fewRows ? a : b;
        Operand large = fewRows ? b : a;
        int columns = fewRows ? n : m;
        float[] x = null;
        int xo = 0;
        int ldx = k;
        if (few instanceof Operand.Floats f && f.stepsContiguous()) {
            x = f.data();
            xo = f.offset();
            ldx = f.ld();
        } else {
            x = Pool.floats().acquire(rows * k);
            few.copyLanes(rows, k, x);
        }
        int rowStride = fewRows ? ldc : 1;
        int columnStride = fewRows ? 1 : ldc;
        if (large.stepsContiguous()) {
            var product =
                    new FewRows(
                            rows, columns, k, x, xo, ldx, large, c, co, rowStride, columnStride);
            product.dots(accumulate);
        } else {
            new StripProduct(rows, columns, large, c, co, rowStride, columnStride)
                    .run(k, x, xo, ldx, accumulate);
        }
        if (!(few instanceof Operand.Floats f && f.data() == x)) {
            Pool.floats().release(x);
        }
    }

    /// C[i, j] is the dot product of row i of X and row j of W.
    private void dots(boolean accumulate) {
        long perGroup = (long) GROUP * rows * k;
        int grain = Math.clamp(GRAIN / perGroup, 1, 1 << 20);
        Parallel.forRange(
                (n + GROUP - 1) / GROUP,
                grain,
                (from, to) -> {
                    for (int p = 0; p < k; p += K_BLOCK) {
                        int kc = Math.min(K_BLOCK, k - p);
                        dots(GROUP * from, Math.min(n, GROUP * to), p, kc, accumulate || p > 0);
                    }
                });
    }

    private void dots(int from, int to, int p, int kc, boolean add) {
        if (rows == 1 && w instanceof StoredOperand stored) {
            if (stored.storage().dtype() == DType.BF16) {
                bf16Row(stored, from, to, p, kc, add);
                return;
            }
            if (BlockRow.suits(stored)) {
                blockRow(stored, from, to, p, kc, add);
                return;
            }
        }
        float[] lanes = Pool.floats().acquire(STEPS * TILE + 4);
        if (w instanceof Operand.Floats f) {
            // Rows far apart, each followed by the next: as many streams, that the prefetcher
            // follows.
            int apart = Math.ceilDiv(to - from, GROUP);
            for (int j = from, steps; j < from + apart; j += steps) {
                int count = Math.ceilDiv(to - j, apart);
                // As many steps as have the same count.
                steps = Math.min(STEPS, Math.min(from + apart, to - (count - 1) * apart) - j);
                int at = f.offset() + j * f.ld() + p;
                dots(new Group(f.data(), at, f.ld(), j, steps, count, apart), p, kc, add, lanes);
            }
        } else if (w instanceof StoredOperand stored) {
            float[] wide = Pool.floats().acquire(GROUP * kc);
            for (int j = from; j < to; j += GROUP) {
                int count = Math.min(GROUP, to - j);
                for (int i = 0; i < count; i++) {
                    stored.widen(j + i, p, wide, i * kc, kc);
                }
                dots(new Group(wide, 0, kc, j, 1, count, 1), p, kc, add, lanes);
            }
            Pool.floats().release(wide);
        }
        Pool.floats().release(lanes);
    }

    /// Rows of W that are multiplied together: in each step `count` of them, `apart` rows from each
    /// other; the first step begins with row `j`, which lies at `offset`, the next step one row on.
    private record Group(
            float[] data, int offset, int ld, int j, int steps, int count, int apart) {}

    /// Computes the dot products of all rows with a group, or adds them to C.
    private void dots(Group g, int p, int kc, boolean add, float[] lanes) {
        int whole = kc - kc % V;
        for (int i = 0, done; i < rows; i += done) {
            int x0 = xo + i * ldx + p;
            // Three rows run as four, the last one twice.
            done = Math.min(REGISTERS_32 && i + 2 < rows ? 4 : 2, rows - i);
            for (int step = 0; step < g.steps; step++) {
                lanes(done, whole, x0, g, step, lanes);
            }
            for (int r = 0; r < done; r++) {
                int at = co + (i + r) * rowStride + g.j * columnStride;
                int row = r * GROUP * V;
                if (g.apart == 1) {
                    for (int q = 0; q < g.count; q += 4) {
                        int columns = Math.min(4, g.count - q);
                        sums(columns, lanes, row + q * V, V, at + q * columnStride, add);
                    }
                } else {
                    for (int q = 0; q < g.count; q++) {
                        int first = at + q * g.apart * columnStride;
                        sums(g.steps, lanes, row + q * V, TILE, first, add);
                    }
                }
                if (whole < kc) {
                    addRest(kc - whole, x0 + r * ldx + whole, g, whole, at);
                }
            }
        }
    }

    private void lanes(int done, int k, int x0, Group g, int step, float[] lanes) {
        float[] wide = g.data;
        int ldw = g.apart * g.ld;
        int last = g.count - 1;
        int at = step * TILE;
        int wo = g.offset + step * g.ld;
        int x1 = x0 + ldx;
        // A missing row is the last again.
        int w1 = wo + Math.min(1, last) * ldw;
        int w2 = wo + Math.min(2, last) * ldw;
        int w3 = wo + Math.min(3, last) * ldw;
        if (!REGISTERS_32) {
            if (done == 1) {
                DotTile.dot1x4(k, x, x0, wide, wo, w1, w2, w3, lanes, at);
            } else {
                DotTile.dot2x4(k, x, x0, x1, wide, wo, w1, w2, w3, lanes, at);
            }
            return;
        }
        int w4 = wo + Math.min(4, last) * ldw;
        int w5 = wo + Math.min(5, last) * ldw;
        switch (done) {
            case 1 -> DotTile.dot1x6(k, x, x0, wide, wo, w1, w2, w3, w4, w5, lanes, at);
            case 2 -> DotTile.dot2x6(k, x, x0, x1, wide, wo, w1, w2, w3, w4, w5, lanes, at);
            default -> {
                int x2 = x1 + ldx;
                int x3 = x0 + (done - 1) * ldx;
                DotTile.dot4x6(k, x, x0, x1, x2, x3, wide, wo, w1, w2, w3, w4, w5, lanes, at);
            }
        }
    }

    /// Adds the lanes of up to four vectors `apart` from each other, whose sums belong to adjacent
    /// columns of C.
    private void sums(int count, float[] lanes, int from, int apart, int at, boolean add) {
        if (columnStride == 1) {
            DotTile.sums(count, lanes, from, apart, c, at, add);
            return;
        }
        int four = STEPS * TILE;
        DotTile.sums(count, lanes, from, apart, lanes, four, false);
        for (int q = 0; q < count; q++, at += columnStride) {
            c[at] = add ? c[at] + lanes[four + q] : lanes[four + q];
        }
    }

    /// Adds the last products of a row's dot products, which fill no vector, to C from `at` on.
    private void addRest(int length, int xi, Group g, int whole, int at) {
        for (int q = 0; q < g.count; q++) {
            for (int step = 0; step < g.steps; step++) {
                int row = q * g.apart + step;
                float rest = dot(length, xi, g.data, g.offset + row * g.ld + whole);
                c[at + row * columnStride] += rest;
            }
        }
    }

    private void bf16Row(StoredOperand stored, int from, int to, int p, int kc, boolean add) {
        var row = new Bf16Row(kc, x, xo + p);
        for (int j = from; j < to; j += 4) {
            int count = Math.min(4, to - j);
            float[] sums = row.dots(stored, j, count, p);
            int at = co + j * columnStride;
            for (int q = 0; q < count; q++, at += columnStride) {
                c[at] = add ? c[at] + sums[q] : sums[q];
            }
        }
    }

    private void blockRow(StoredOperand stored, int from, int to, int p, int kc, boolean add) {
        float[] sums = Pool.floats().acquire(to - from);
        BlockRow.products(stored, from, to, p, kc, x, xo + p, sums);
        int at = co + from * columnStride;
        for (int j = 0; j < to - from; j++, at += columnStride) {
            c[at] = add ? c[at] + sums[j] : sums[j];
        }
        Pool.floats().release(sums);
    }

    /// The rest of a dot product that fills no vector.
    private float dot(int length, int xi, float[] wide, int wi) {
        float sum = 0;
        for (int p = 0; p < length; p++) {
            sum += x[xi + p] * wide[wi + p];
        }
        return sum;
    }
}
