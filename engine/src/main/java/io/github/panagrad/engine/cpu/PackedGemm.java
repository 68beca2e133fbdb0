package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;

/// The packed, register-blocked, cache-blocked matrix product (Goto and van de Geijn, "Anatomy of
/// high-performance matrix multiplication", 2008; BLIS).
///
/// Both operands are packed once into panels that the micro-kernel reads from front to back, then
/// tasks of [#TASK_ROWS] × [#TASK_PANELS] panels of C are shared out:
///
/// ```
/// for columns in blocks, for k in blocks            so that the packed B stays within PACKED floats
///   for rows in blocks                              likewise the packed A
///     pack A and B                                  parallel over panels
///     for tasks                                     parallel
///       for kc in k by KC                           the task's part of C stays in the L2 cache
///         for panels of B                           KC × 48 floats, from the L2 cache
///           for panels of A                         KC × 8 floats, from the L2 cache
///             micro-kernel
/// ```
///
/// Each element of C sums its products in the same order whatever the split, so any number of
/// threads gives the same bits.
final class PackedGemm {
    private static final int KC = Integer.getInteger("KC", 384);
    private static final int TASK_ROWS = Integer.getInteger("TR", 8) * Tiles.ROWS;
    private static final int TASK_PANELS = Integer.getInteger("TP", 4);
    private static final int PACKED = 1 << 22;
    private static final int K_BLOCK = Integer.getInteger("KB", 3072);
    private static final int PACK_ROW_PANELS = 8;

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
    private final Tiles tiles;
    private final int rowPanels;
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
        tiles = Tiles.of(n);
        rowPanels = (m + Tiles.ROWS - 1) / Tiles.ROWS;
        kBlocks = (k + KC - 1) / KC;
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
        int kEven = kStep + (kStep & 1);
        int nStep = Math.min(n, PACKED / kEven / Tiles.COLUMNS * Tiles.COLUMNS);
        int mStep = Math.min(m, PACKED / 2 / kEven / TASK_ROWS * TASK_ROWS);
        Tiles widest = Tiles.of(nStep);
        float[] packedB = Pool.floats().acquire(widest.start(widest.count()) * kEven);
        float[] packedA =
                Pool.floats().acquire((mStep + Tiles.ROWS - 1) / Tiles.ROWS * Tiles.ROWS * kEven);
        for (int j = 0; j < n; j += nStep) {
            for (int p = 0; p < k; p += kStep) {
                for (int i = 0; i < m; i += mStep) {
                    var block =
                            new PackedGemm(
                                    Math.min(mStep, m - i),
                                    Math.min(nStep, n - j),
                                    Math.min(kStep, k - p),
                                    i,
                                    j,
                                    p,
                                    a,
                                    packedA,
                                    b,
                                    packedB);
                    block.pack(i == 0);
                    block.multiply(c, co + i * ldc + j, ldc, accumulate || p > 0);
                }
            }
        }
        Pool.floats().release(packedA);
        Pool.floats().release(packedB);
    }

    private static int even(int steps) {
        return steps + (steps & 1);
    }

    private void pack(boolean withB) {
        int panels = withB ? tiles.count() : 0;
        int bUnits = panels * kBlocks;
        int rowUnits = (rowPanels + PACK_ROW_PANELS - 1) / PACK_ROW_PANELS;
        Parallel.forRange(
                bUnits + rowUnits * kBlocks,
                4,
                (from, to) -> {
                    for (int unit = from; unit < to; unit++) {
                        if (unit < bUnits) {
                            packColumns(unit / panels * KC, unit % panels);
                        } else {
                            int u = unit - bUnits;
                            packRows(u / rowUnits * KC, u % rowUnits * PACK_ROW_PANELS);
                        }
                    }
                });
    }

    private void packColumns(int p, int panel) {
        int kc = Math.min(KC, k - p);
        int start = tiles.start(panel);
        int width = tiles.width(panel);
        int at = p * tiles.start(tiles.count()) + start * even(kc);
        b.pack(column + start, Math.min(width, n - start), step + p, kc, packedB, at, width);
    }

    private void packRows(int p, int firstPanel) {
        int kc = Math.min(KC, k - p);
        int to = Math.min(rowPanels, firstPanel + PACK_ROW_PANELS);
        for (int panel = firstPanel; panel < to; panel++) {
            int start = panel * Tiles.ROWS;
            int at = p * rowPanels * Tiles.ROWS + start * even(kc);
            int count = Math.min(Tiles.ROWS, m - start);
            a.pack(row + start, count, step + p, kc, packedA, at, Tiles.ROWS);
        }
    }

    private void multiply(float[] c, int co, int ldc, boolean add) {
        int rowTasks = (m + TASK_ROWS - 1) / TASK_ROWS;
        int columnTasks = (tiles.count() + TASK_PANELS - 1) / TASK_PANELS;
        long work = (long) Math.min(m, TASK_ROWS) * TASK_PANELS * Tiles.COLUMNS * Math.max(k, 64);
        int grain = (int) Math.max(1, (1 << 20) / work);
        Parallel.forRange(
                rowTasks * columnTasks,
                grain,
                (from, to) -> {
                    for (int task = from; task < to; task++) {
                        int i = task % rowTasks * TASK_ROWS;
                        int panel = task / rowTasks * TASK_PANELS;
                        multiply(i, panel, c, co, ldc, add);
                    }
                });
    }

    private void multiply(int iFrom, int panelFrom, float[] c, int co, int ldc, boolean add) {
        int iTo = Math.min(m, iFrom + TASK_ROWS);
        int panelTo = Math.min(tiles.count(), panelFrom + TASK_PANELS);
        float[] edge = new float[Tiles.ROWS * Tiles.COLUMNS];
        for (int p = 0; p < k; p += KC) {
            int kc = even(Math.min(KC, k - p));
            int aBlock = p * rowPanels * Tiles.ROWS;
            int bBlock = p * tiles.start(tiles.count());
            boolean adding = add || p > 0;
            for (int panel = panelFrom; panel < panelTo; panel++) {
                int j = tiles.start(panel);
                int width = tiles.width(panel);
                int bo = bBlock + j * kc;
                for (int i = iFrom; i < iTo; i += Tiles.ROWS) {
                    int ao = aBlock + i * kc;
                    int at = co + i * ldc + j;
                    if (i + Tiles.ROWS <= m && j + width <= n) {
                        Tiles.multiply(width, kc, packedA, ao, packedB, bo, c, at, ldc, adding);
                    } else {
                        Tiles.multiply(width, kc, packedA, ao, packedB, bo, edge, 0, width, false);
                        int rows = Math.min(Tiles.ROWS, m - i);
                        int columns = Math.min(width, n - j);
                        copyOut(edge, width, rows, columns, c, at, ldc, adding);
                    }
                }
            }
        }
    }

    private static void copyOut(
            float[] tile,
            int width,
            int rows,
            int columns,
            float[] c,
            int co,
            int ldc,
            boolean add) {
        for (int r = 0; r < rows; r++) {
            int from = r * width;
            int to = co + r * ldc;
            if (add) {
                for (int j = 0; j < columns; j++) {
                    c[to + j] += tile[from + j];
                }
            } else {
                System.arraycopy(tile, from, c, to, columns);
            }
        }
    }
}
