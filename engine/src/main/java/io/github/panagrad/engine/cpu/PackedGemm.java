package io.github.panagrad.engine.cpu;

import static java.lang.Math.ceilDiv;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;

/// The packed, register-blocked, cache-blocked matrix product (Goto and van de Geijn, "Anatomy of
/// high-performance matrix multiplication", 2008; BLIS).
///
/// Both operands are packed into [Panels] that the micro-kernel reads from front to back, one block of k
/// at a time, then tasks of [#TASK_ROWS] × [#TASK_COLUMNS] of C are shared out:
///
/// ```
/// for columns in blocks, for k in blocks of at most KC
///   for rows in blocks
///     pack A and B                  parallel over panels: they stay in the L2 and L3 caches
///     for tasks                     parallel
///       for panels of B             KC × 2·V floats, from the L2 cache
///         for panels of A           KC × 8 floats, from the L2 cache, the task's 16 panels again and again
///           micro-kernel
/// ```
///
/// Each element of C sums its products in the same order whatever the split, so any number of
/// threads gives the same bits.
final class PackedGemm {
    /// Steps of k at most between two visits of C: a common width of models, which then is a single
    /// block. The 16 panels of A of a task take 400 KB, less than half of an L2 cache of 1 MB.
    private static final int KC = 768;

    /// Rows of a task: a panel of B is used 16 times for each time it is fetched.
    private static final int TASK_ROWS = 16 * Tiles.ROWS;

    /// Columns of a task, which is about 0.2 ms: enough tasks for many threads, and few hand-offs.
    private static final int TASK_COLUMNS = 6 * Tiles.COLUMNS;

    /// Floats of packed B, 8 MB, and of packed A, 4 MB: what a product needs beside its operands.
    private static final int PACKED_B = 1 << 21;

    private static final int PACKED_A = 1 << 20;

    /// Where the first panel begins: behind the header of an array this is a multiple of 64 bytes if the
    /// array begins at one, as large ones do in G1's regions; vectors of B then cross no cache line.
    private static final int FIRST = 12;

    /// Panels that a thread packs at a time: 20 to 100 µs.
    private static final int PACK_PANELS = 8;

    /// Multiplications that are worth waking another thread for: 20 µs.
    private static final int GRAIN = 1 << 20;

    private final int m;
    private final int n;
    private final int k;
    private final int row;
    private final int column;
    private final int step;
    private final Operand a;
    private final Operand b;
    private final float[] packedA;
    private final float[] packedB;
    private final int rowPanels;
    private final int columnPanels;

    private PackedGemm(
            int m,
            int n,
            int k,
            int row,
            int column,
            int step,
            Operand a,
            float[] packedA,
            Operand b,
            float[] packedB) {
        this.m = m;
        this.n = n;
        this.k = k;
        this.row = row;
        this.column = column;
        this.step = step;
        this.a = a;
        this.b = b;
        this.packedA = packedA;
        this.packedB = packedB;
        rowPanels = ceilDiv(m, Tiles.ROWS);
        columnPanels = ceilDiv(n, Tiles.COLUMNS);
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
        int kStep = ceilDiv(k, ceilDiv(k, KC));
        int nStep = Math.min(n, PACKED_B / kStep / Tiles.COLUMNS * Tiles.COLUMNS);
        int mStep = Math.min(m, PACKED_A / kStep / TASK_ROWS * TASK_ROWS);
        int bFloats = FIRST + ceilDiv(nStep, Tiles.COLUMNS) * Tiles.COLUMNS * kStep;
        int aFloats = FIRST + ceilDiv(mStep, Tiles.ROWS) * Tiles.ROWS * kStep;
        float[] packedB = Pool.floats().acquire(bFloats);
        float[] packedA = Pool.floats().acquire(aFloats);
        for (int j = 0; j < n; j += nStep) {
            for (int p = 0; p < k; p += kStep) {
                for (int i = 0; i < m; i += mStep) {
                    int rows = Math.min(mStep, m - i);
                    int columns = Math.min(nStep, n - j);
                    int steps = Math.min(kStep, k - p);
                    var block =
                            new PackedGemm(rows, columns, steps, i, j, p, a, packedA, b, packedB);
                    block.pack(i == 0);
                    block.multiply(c, co + i * ldc + j, ldc, accumulate || p > 0);
                }
            }
        }
        Pool.floats().release(packedA);
        Pool.floats().release(packedB);
    }

    /// Packs A, and B if `withB`, a few panels at a time.
    private void pack(boolean withB) {
        int bUnits = withB ? ceilDiv(columnPanels, PACK_PANELS) : 0;
        int rowUnits = ceilDiv(rowPanels, PACK_PANELS);
        Parallel.forRange(
                bUnits + rowUnits,
                1,
                (from, to) -> {
                    for (int unit = from; unit < to; unit++) {
                        if (unit < bUnits) {
                            packColumns(unit * PACK_PANELS);
                        } else {
                            packRows((unit - bUnits) * PACK_PANELS);
                        }
                    }
                });
    }

    private void packColumns(int panel) {
        int j = panel * Tiles.COLUMNS;
        int count = Math.min(PACK_PANELS * Tiles.COLUMNS, n - j);
        b.pack(column + j, count, step, k, packedB, bAt(panel), Tiles.COLUMNS);
    }

    private void packRows(int panel) {
        int i = panel * Tiles.ROWS;
        int count = Math.min(PACK_PANELS * Tiles.ROWS, m - i);
        a.pack(row + i, count, step, k, packedA, aAt(panel), Tiles.ROWS);
    }

    /// Where a panel of A begins.
    private int aAt(int panel) {
        return FIRST + panel * Tiles.ROWS * k;
    }

    private int bAt(int panel) {
        return FIRST + panel * Tiles.COLUMNS * k;
    }

    private void multiply(float[] c, int co, int ldc, boolean add) {
        int rowTasks = ceilDiv(m, TASK_ROWS);
        int columnTasks = ceilDiv(n, TASK_COLUMNS);
        long work = (long) Math.min(m, TASK_ROWS) * Math.min(n, TASK_COLUMNS) * Math.max(k, 64);
        Parallel.forRange(
                rowTasks * columnTasks,
                (int) Math.max(1, GRAIN / work),
                (from, to) -> {
                    for (int task = from; task < to; task++) {
                        int i = task % rowTasks * TASK_ROWS;
                        int j = task / rowTasks * TASK_COLUMNS;
                        multiply(i, j, c, co, ldc, add);
                    }
                });
    }

    private void multiply(int iFrom, int jFrom, float[] c, int co, int ldc, boolean add) {
        int iTo = Math.min(m, iFrom + TASK_ROWS);
        int jTo = Math.min(n, jFrom + TASK_COLUMNS);
        float[] tile = new float[Tiles.ROWS * Tiles.COLUMNS];
        for (int j = jFrom; j < jTo; j += Tiles.COLUMNS) {
            int bo = bAt(j / Tiles.COLUMNS);
            for (int i = iFrom; i < iTo; i += Tiles.ROWS) {
                int ao = aAt(i / Tiles.ROWS);
                int at = co + i * ldc + j;
                boolean whole = i + Tiles.ROWS <= m && j + Tiles.COLUMNS <= n;
                if (whole && !add) {
                    Tiles.multiply(k, packedA, ao, packedB, bo, c, at, ldc);
                    continue;
                }
                Tiles.multiply(k, packedA, ao, packedB, bo, tile, 0, Tiles.COLUMNS);
                if (whole) {
                    Tiles.add(tile, Tiles.ROWS, Tiles.COLUMNS, c, at, ldc);
                } else {
                    storePart(tile, iTo - i, jTo - j, c, at, ldc, add);
                }
            }
        }
    }

    /// Stores or adds the part of an edge tile that lies within C.
    private static void storePart(
            float[] tile, int rows, int columns, float[] c, int co, int ldc, boolean add) {
        for (int i = 0; i < Math.min(rows, Tiles.ROWS); i++) {
            int from = i * Tiles.COLUMNS;
            int to = co + i * ldc;
            for (int j = 0; j < Math.min(columns, Tiles.COLUMNS); j++) {
                c[to + j] = add ? c[to + j] + tile[from + j] : tile[from + j];
            }
        }
    }
}
