package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.V;
import static java.lang.Math.ceilDiv;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import java.util.Arrays;

/// Products of few rows with a large W that is contiguous along its columns: X [rows, k] · W [k, n].
///
/// ```
/// for k in blocks of K_BLOCK
///   pack X                           a few rows: it stays in the L2 cache
///   for columns in blocks            parallel
///     for rows in groups of 8 or 4   W's block is read from the L2 cache again
///       for strips of the block      3 vectors by 8 rows, or 6 by 4
///         StripTile
/// ```
///
/// W is not packed: a strip reads whole cache lines of every row of W, once for all rows of a group.
/// The result can be written transposed, for a product of few columns.
final class StripProduct {
    /// Rows of a large group: 8 where there are 32 registers, else all groups have 4.
    private static final boolean EIGHT = Tiles.ROWS == 8;

    /// Steps of k between two visits of C.
    private static final int K_BLOCK = 4096;

    /// Likewise for a stored W, of which a block is widened into an array: 200 KB of the L2 cache.
    private static final int STORED_K_BLOCK = 512;

    /// Multiplications that are worth waking another thread for: 20 µs.
    private static final int GRAIN = 1 << 20;

    private final int rows;
    private final int n;
    private final Operand w;
    private final float[] c;
    private final int co;
    private final int rowStride;
    private final int columnStride;

    /// Columns of a block: a multiple of the widths of all strips that it is cut into.
    private final int block;

    /// Says where W and C are, and how far apart C's rows and columns.
    StripProduct(int rows, int n, Operand w, float[] c, int co, int rowStride, int columnStride) {
        this.rows = rows;
        this.n = n;
        this.w = w;
        this.c = c;
        this.co = co;
        this.rowStride = rowStride;
        this.columnStride = columnStride;
        block = rows == 1 ? 8 * V : 6 * V;
    }

    /// Computes C = X·W or C += X·W; rows of X are contiguous, `ldx` apart.
    void run(int k, float[] x, int xo, int ldx, boolean accumulate) {
        int kStep = w instanceof Operand.Floats ? K_BLOCK : STORED_K_BLOCK;
        float[] panels = Pool.floats().acquire(ceilDiv(rows, 4) * 4 * Math.min(k, kStep));
        for (int p = 0; p < k; p += kStep) {
            int kc = Math.min(kStep, k - p);
            pack(kc, x, xo + p, ldx, panels);
            boolean add = accumulate || p > 0;
            int from = p;
            long work = (long) rows * kc * block;
            Parallel.forRange(
                    ceilDiv(n, block),
                    Math.clamp(GRAIN / work, 1, 1 << 20),
                    (first, last) -> multiply(first, last, from, kc, panels, add));
        }
        Pool.floats().release(panels);
    }

    /// Rows of the group that begins with row i.
    private int group(int i) {
        return rows == 1 ? 1 : EIGHT && rows - i > 4 ? 8 : 4;
    }

    private void pack(int kc, float[] x, int xo, int ldx, float[] panels) {
        for (int i = 0, group; i < rows; i += group) {
            group = group(i);
            pack(group, Math.min(group, rows - i), kc, x, xo + i * ldx, ldx, panels, i * kc);
        }
    }

    private static void pack(
            int group, int valid, int kc, float[] x, int xo, int ldx, float[] panels, int at) {
        if (valid == group && group > 1 && kc >= V) {
            for (int s = 0; s < kc; s += V) {
                int p = Math.min(s, kc - V);
                if (group == 8) {
                    Interleave.zip8(x, xo + p, ldx, panels, at + 8 * p, V);
                } else {
                    Interleave.zip4(x, xo + p, ldx, panels, at + 4 * p, V);
                }
            }
            return;
        }
        for (int r = 0; r < group; r++) {
            for (int p = 0; p < kc; p++) {
                panels[at + p * group + r] = r < valid ? x[xo + r * ldx + p] : 0;
            }
        }
    }

    /// Multiplies blocks `first` (inclusive) to `last` (exclusive).
    private void multiply(int first, int last, int p, int kc, float[] panels, boolean add) {
        float[] tile = new float[8 * block];
        boolean copied = n < block || !(w instanceof Operand.Floats);
        float[] copy = copied ? Pool.floats().acquire(kc * block) : tile;
        for (int index = first; index < last; index++) {
            int j = index * block;
            // A last block that is not full begins earlier, and its first columns are dropped.
            int begin = Math.max(0, Math.min(j, n - block));
            float[] b = copy;
            int bo = 0;
            int ldb = block;
            if (copied) {
                copy(begin, p, kc, copy);
            } else if (w instanceof Operand.Floats f) {
                b = f.data();
                bo = f.offset() + p * f.ld() + begin;
                ldb = f.ld();
            }
            for (int i = 0, group; i < rows; i += group) {
                group = group(i);
                multiply(group, kc, panels, i * kc, b, bo, ldb, tile);
                int to = Math.min(n, begin + block);
                store(tile, j - begin, i, Math.min(group, rows - i), j, to, add);
            }
        }
        if (copied) {
            Pool.floats().release(copy);
        }
    }

    /// Copies or widens columns of W, up to a block of them; the rest are zero.
    private void copy(int j, int p, int kc, float[] to) {
        int count = Math.min(block, n - j);
        for (int q = 0, at = 0; q < kc; q++, at += block) {
            if (w instanceof Operand.Floats f) {
                System.arraycopy(f.data(), f.offset() + (p + q) * f.ld() + j, to, at, count);
            } else if (w instanceof StoredOperand stored) {
                stored.widen(j, p + q, to, at, count);
            }
            Arrays.fill(to, at + count, at + block, 0);
        }
    }

    private void multiply(
            int group, int kc, float[] a, int ao, float[] b, int bo, int ldb, float[] tile) {
        switch (group) {
            case 1 -> StripTile.rows1x8(kc, a, ao, b, bo, ldb, tile, 0, block);
            case 8 -> {
                for (int s = 0; s < block; s += 3 * V) {
                    StripTile.rows8x3(kc, a, ao, b, bo + s, ldb, tile, s, block);
                }
            }
            default -> {
                if (EIGHT) {
                    StripTile.rows4x6(kc, a, ao, b, bo, ldb, tile, 0, block);
                    return;
                }
                for (int s = 0; s < block; s += 2 * V) {
                    StripTile.rows4x2(kc, a, ao, b, bo + s, ldb, tile, s, block);
                }
            }
        }
    }

    /// Writes columns j to `to` of some rows, the first of which lies at `skip` in the tile.
    private void store(float[] tile, int skip, int i, int count, int j, int to, boolean add) {
        for (int r = 0; r < count; r++) {
            int from = r * block + skip;
            int at = co + (i + r) * rowStride + j * columnStride;
            if (columnStride == 1 && !add) {
                System.arraycopy(tile, from, c, at, to - j);
                continue;
            }
            for (int q = 0; q < to - j; q++, at += columnStride) {
                c[at] = add ? c[at] + tile[from + q] : tile[from + q];
            }
        }
    }
}
