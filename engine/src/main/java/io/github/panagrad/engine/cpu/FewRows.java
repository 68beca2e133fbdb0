package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.V;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import java.util.Arrays;

/// Products of few rows with a large matrix, as in decoding, and of few columns, as in low-rank
/// adapters.
///
/// Packing the large matrix would cost more than the product. It is read once where it lies: by dot
/// products if it is contiguous along k, else by adding multiples of its rows. A product of few columns
/// is its own transpose, with the roles of A and B swapped.
final class FewRows {
    /// Up to so many rows dot products beat packing: 0.6 of peak against 0.2 at 4 rows, even at 24.
    private static final int DOT_LIMIT = 24;

    /// Up to so many rows adding multiples beats packing: 0.5 of peak against 0.2 at 4 rows.
    private static final int AXPY_LIMIT = 12;

    /// Steps of k at a time, so that the few rows stay in the cache.
    private static final int K_BLOCK = 2048;

    /// Columns at a time where multiples of rows are added, so that their part of C stays in the cache.
    private static final int COLUMNS = 512;

    private static final boolean REGISTERS_32 = Tiles.ROWS == 8;

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
    static boolean suits(int m, int n, Operand a, Operand b) {
        return m <= limit(b) || n <= limit(a);
    }

    private static int limit(Operand large) {
        return large.stepsContiguous() ? DOT_LIMIT : AXPY_LIMIT;
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
        boolean fewRows = m <= limit(b) && (m <= n || n > limit(a));
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
            var product = new FewRows(rows, columns, k, x, xo, ldx, large, c, co, ldc, 1);
            if (fewRows) {
                product.multiples(accumulate);
            } else {
                product.transposedMultiples(ldc, accumulate);
            }
        }
        if (!(few instanceof Operand.Floats f && f.data() == x)) {
            Pool.floats().release(x);
        }
    }

    /// C[i, j] is the dot product of row i of X and row j of W.
    private void dots(boolean accumulate) {
        long perQuad = 4L * rows * k;
        int grain = Math.clamp(GRAIN / perQuad, 1, 1 << 20);
        Parallel.forRange(
                (n + 3) / 4,
                grain,
                (from, to) -> {
                    for (int p = 0; p < k; p += K_BLOCK) {
                        int kc = Math.min(K_BLOCK, k - p);
                        dots(4 * from, Math.min(n, 4 * to), p, kc, accumulate || p > 0);
                    }
                });
    }

    private void dots(int from, int to, int p, int kc, boolean add) {
        float[] tile = new float[16];
        float[] lanes = new float[16 * V];
        if (w instanceof Operand.Floats f) {
            for (int j = from; j < to; j += 4) {
                int last = to - j - 1;
                int w0 = f.offset() + j * f.ld() + p;
                int w1 = w0 + Math.min(1, last) * f.ld();
                int w2 = w0 + Math.min(2, last) * f.ld();
                int w3 = w0 + Math.min(3, last) * f.ld();
                dots(f.data(), w0, w1, w2, w3, p, kc, j, Math.min(4, to - j), add, tile, lanes);
            }
        } else if (w instanceof StoredOperand stored) {
            if (rows == 1 && stored.storage().dtype() == DType.BF16) {
                bf16Row(stored, from, to, p, kc, add);
                return;
            }
            if (rows == 1 && BlockRow.suits(stored)) {
                blockRow(stored, from, to, p, kc, add);
                return;
            }
            float[] wide = Pool.floats().acquire(4 * kc);
            for (int j = from; j < to; j += 4) {
                int count = Math.min(4, to - j);
                for (int i = 0; i < count; i++) {
                    stored.widen(j + i, p, wide, i * kc, kc);
                }
                Arrays.fill(wide, count * kc, 4 * kc, 0);
                dots(wide, 0, kc, 2 * kc, 3 * kc, p, kc, j, count, add, tile, lanes);
            }
            Pool.floats().release(wide);
        }
    }

    private void dots(
            float[] wide,
            int w0,
            int w1,
            int w2,
            int w3,
            int p,
            int kc,
            int j,
            int count,
            boolean add,
            float[] tile,
            float[] lanes) {
        int whole = kc - kc % V;
        for (int i = 0; i < rows; ) {
            int x0 = xo + i * ldx + p;
            int done;
            if (REGISTERS_32 && i + 2 < rows) {
                // Three rows run as four, the last one twice.
                int x3 = x0 + (i + 3 < rows ? 3 : 2) * ldx;
                int x1 = x0 + ldx;
                DotTile.dot4x4(whole, x, x0, x1, x1 + ldx, x3, wide, w0, w1, w2, w3, lanes);
                done = Math.min(4, rows - i);
            } else if (i + 1 < rows) {
                DotTile.dot2x4(whole, x, x0, x0 + ldx, wide, w0, w1, w2, w3, lanes);
                done = 2;
            } else {
                DotTile.dot1x4(whole, x, x0, wide, w0, w1, w2, w3, lanes);
                done = 1;
            }
            DotTile.sums(done, lanes, tile);
            for (int r = 0; r < done; r++) {
                if (whole < kc) {
                    int from = x0 + r * ldx + whole;
                    int rest = kc - whole;
                    tile[4 * r] += dot(rest, from, wide, w0 + whole);
                    tile[4 * r + 1] += dot(rest, from, wide, w1 + whole);
                    tile[4 * r + 2] += dot(rest, from, wide, w2 + whole);
                    tile[4 * r + 3] += dot(rest, from, wide, w3 + whole);
                }
                int at = co + (i + r) * rowStride + j * columnStride;
                for (int q = 0; q < count; q++, at += columnStride) {
                    c[at] = add ? c[at] + tile[4 * r + q] : tile[4 * r + q];
                }
            }
            i += done;
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

    /// C's rows are sums of multiples of W's rows.
    private void multiples(boolean accumulate) {
        long perColumn = (long) rows * k;
        int columns = Math.clamp(GRAIN / perColumn, 1, COLUMNS);
        int grain = Math.min(COLUMNS, (columns + 63) / 64 * 64);
        Parallel.forRange(
                n,
                grain,
                (from, to) -> {
                    if (!accumulate) {
                        for (int i = 0; i < rows; i++) {
                            int row = co + i * rowStride;
                            Arrays.fill(c, row + from, row + to, 0);
                        }
                    }
                    for (int j = from; j < to; j += COLUMNS) {
                        multiples(j, Math.min(COLUMNS, to - j));
                    }
                });
    }

    private void multiples(int j, int columns) {
        if (w instanceof Operand.Floats f) {
            for (int p = 0; p < k; p += 4) {
                multiples(f.data(), f.offset() + p * f.ld() + j, f.ld(), p, j, columns);
            }
        } else if (w instanceof StoredOperand stored) {
            float[] wide = Pool.floats().acquire(4 * columns);
            for (int p = 0; p < k; p += 4) {
                for (int i = 0; i < Math.min(4, k - p); i++) {
                    stored.widen(j, p + i, wide, i * columns, columns);
                }
                multiples(wide, 0, columns, p, j, columns);
            }
            Pool.floats().release(wide);
        }
    }

    /// Adds the multiples of up to four rows of W, from step p.
    private void multiples(float[] wide, int wo, int ldw, int p, int j, int columns) {
        int at = co + j;
        int whole = columns - columns % V;
        int steps = Math.min(4, k - p);
        int i = 0;
        for (; steps == 4 && i <= rows - 4; i += 4) {
            int xi = xo + i * ldx + p;
            AxpyTile.rows4(whole, x, xi, ldx, wide, wo, ldw, c, at + i * rowStride, rowStride);
        }
        for (; steps == 4 && i < rows; i++) {
            AxpyTile.row1(whole, x, xo + i * ldx + p, wide, wo, ldw, c, at + i * rowStride);
        }
        for (; i < rows; i++) {
            for (int q = 0; q < steps; q++) {
                float factor = x[xo + i * ldx + p + q];
                AxpyTile.single(whole, factor, wide, wo + q * ldw, c, at + i * rowStride);
            }
        }
        if (whole < columns) {
            multiplesRest(wide, wo + whole, ldw, p, steps, at + whole, columns - whole);
        }
    }

    /// The last columns, that fill no vector.
    private void multiplesRest(
            float[] wide, int wo, int ldw, int p, int steps, int at, int columns) {
        for (int i = 0; i < rows; i++) {
            int row = at + i * rowStride;
            for (int q = 0; q < steps; q++) {
                float factor = x[xo + i * ldx + p + q];
                for (int j = 0; j < columns; j++) {
                    c[row + j] += factor * wide[wo + q * ldw + j];
                }
            }
        }
    }

    /// Computes the transpose of C in rows of its own, then turns it.
    private void transposedMultiples(int ldc, boolean accumulate) {
        float[] turned = Pool.floats().acquire(rows * n);
        new FewRows(rows, n, k, x, xo, ldx, w, turned, 0, n, 1).multiples(false);
        for (int j = 0; j < n; j++) {
            for (int i = 0; i < rows; i++) {
                int at = co + j * ldc + i;
                float value = turned[i * n + j];
                c[at] = accumulate ? c[at] + value : value;
            }
        }
        Pool.floats().release(turned);
    }
}
