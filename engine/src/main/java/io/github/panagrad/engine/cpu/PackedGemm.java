package io.github.panagrad.engine.cpu;

import static java.lang.Math.ceilDiv;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import java.util.Arrays;

/// The packed, register-blocked, cache-blocked matrix product (Goto and van de Geijn, "Anatomy of
/// high-performance matrix multiplication", 2008; BLIS).
///
/// Both operands are packed once into [Panels] that the micro-kernel reads from front to back, then
/// tasks of [#TASK_ROWS] × [#TASK_COLUMNS] of C are shared out:
///
/// ```
/// for columns in blocks, for k in blocks of K_BLOCK   so that the packed B stays within PACKED floats
///   for rows in blocks                                likewise the packed A
///     pack A and B                                    parallel over panels
///     for tasks                                       parallel
///       for kc in k by KC                             the task's part of C stays in the L2 cache
///         for panels of B                             KC × 2·V floats, from the L2 cache
///           for panels of A                           KC × 8 floats, from the L2 cache
///             micro-kernel
/// ```
///
/// Each element of C sums its products in the same order whatever the split, so any number of
/// threads gives the same bits.
final class PackedGemm {
    /// Steps of k between two visits of C. The panels of a task (64 + 192 lanes, 390 KB) then fit a
    /// quarter of an L2 cache of 1 to 2 MB and C is touched every 16·384 multiplications a vector.
    private static final int KC = 384;

    /// Rows of a task: the panel of B is used 8 times for each time it is fetched.
    private static final int TASK_ROWS = 8 * Tiles.ROWS;

    /// Columns of a task, which is about 0.1 ms: enough tasks for many threads, and few hand-offs.
    private static final int TASK_COLUMNS = 6 * Tiles.COLUMNS;

    /// Floats of packed B; A gets half as many. 16 MB bound what a product needs beside its operands.
    private static final int PACKED = 1 << 22;

    /// Steps of k that are packed at a time: eight times KC.
    private static final int K_BLOCK = 3072;

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
    private final int kBlocks;

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
        kBlocks = ceilDiv(k, KC);
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
        int kStep = Math.min(k, K_BLOCK);
        int nStep = Math.min(n, PACKED / kStep / Tiles.COLUMNS * Tiles.COLUMNS);
        int mStep = Math.min(m, PACKED / 2 / kStep / TASK_ROWS * TASK_ROWS);
        int bFloats = ceilDiv(nStep, Tiles.COLUMNS) * Tiles.COLUMNS * kStep;
        int aFloats = ceilDiv(mStep, Tiles.ROWS) * Tiles.ROWS * kStep;
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
        int columnUnits = ceilDiv(columnPanels, PACK_PANELS);
        int rowUnits = ceilDiv(rowPanels, PACK_PANELS);
        int bUnits = withB ? columnUnits * kBlocks : 0;
        Parallel.forRange(
                bUnits + rowUnits * kBlocks,
                1,
                (from, to) -> {
                    for (int unit = from; unit < to; unit++) {
                        if (unit < bUnits) {
                            packColumns(unit / columnUnits * KC, unit % columnUnits * PACK_PANELS);
                        } else {
                            int u = unit - bUnits;
                            packRows(u / rowUnits * KC, u % rowUnits * PACK_PANELS);
                        }
                    }
                });
    }

    private void packColumns(int p, int panel) {
        int kc = Math.min(KC, k - p);
        int j = panel * Tiles.COLUMNS;
        int count = Math.min(PACK_PANELS * Tiles.COLUMNS, n - j);
        b.pack(column + j, count, step + p, kc, packedB, bAt(p, kc, panel), Tiles.COLUMNS);
    }

    private void packRows(int p, int panel) {
        int kc = Math.min(KC, k - p);
        int i = panel * Tiles.ROWS;
        int count = Math.min(PACK_PANELS * Tiles.ROWS, m - i);
        a.pack(row + i, count, step + p, kc, packedA, aAt(p, kc, panel), Tiles.ROWS);
    }

    /// Where a panel of A begins: panels of one block of k follow each other.
    private int aAt(int p, int kc, int panel) {
        return (p * rowPanels + kc * panel) * Tiles.ROWS;
    }

    private int bAt(int p, int kc, int panel) {
        return (p * columnPanels + kc * panel) * Tiles.COLUMNS;
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
        if (!add) {
            for (int i = iFrom; i < iTo; i++) {
                Arrays.fill(c, co + i * ldc + jFrom, co + i * ldc + jTo, 0);
            }
        }
        float[] edge = new float[Tiles.ROWS * Tiles.COLUMNS];
        for (int p = 0; p < k; p += KC) {
            int kc = Math.min(KC, k - p);
            for (int j = jFrom; j < jTo; j += Tiles.COLUMNS) {
                int bo = bAt(p, kc, j / Tiles.COLUMNS);
                for (int i = iFrom; i < iTo; i += Tiles.ROWS) {
                    int ao = aAt(p, kc, i / Tiles.ROWS);
                    int at = co + i * ldc + j;
                    if (i + Tiles.ROWS <= m && j + Tiles.COLUMNS <= n) {
                        Tiles.multiply(kc, packedA, ao, packedB, bo, c, at, ldc);
                    } else {
                        Arrays.fill(edge, 0);
                        Tiles.multiply(kc, packedA, ao, packedB, bo, edge, 0, Tiles.COLUMNS);
                        addPart(edge, iTo - i, jTo - j, c, at, ldc);
                    }
                }
            }
        }
    }

    /// Adds the part of an edge tile that lies within C.
    private static void addPart(float[] tile, int rows, int columns, float[] c, int co, int ldc) {
        for (int i = 0; i < Math.min(rows, Tiles.ROWS); i++) {
            int from = i * Tiles.COLUMNS;
            int to = co + i * ldc;
            for (int j = 0; j < Math.min(columns, Tiles.COLUMNS); j++) {
                c[to + j] += tile[from + j];
            }
        }
    }
}
