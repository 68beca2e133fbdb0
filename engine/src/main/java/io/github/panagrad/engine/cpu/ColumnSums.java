package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import jdk.incubator.vector.FloatVector;

/// Sums over a dimension that is not the last: [outer, n, inner] to [outer, inner]. Bias gradients,
/// and the partial sums of weight gradients, are made by it.
///
/// Rows are added in floats in blocks of [#ROWS], the blocks in doubles in the order of the rows.
/// The split depends on the shape only.
final class ColumnSums {
    private static final int ROWS = 64;
    private static final int COLUMNS = 4096;

    private ColumnSums() {}

    /// Sets y[o, j] = Σᵢ x[o, i, j].
    static void sum(float[] x, int xo, float[] y, int yo, int outer, int n, int inner) {
        int rowBlocks = Math.max(1, (n + ROWS - 1) / ROWS);
        if (rowBlocks == 1) {
            blocks(x, xo, y, yo, outer, n, inner, 1);
            return;
        }
        float[] partial = Pool.floats().acquire(outer * rowBlocks * inner);
        blocks(x, xo, partial, 0, outer, n, inner, rowBlocks);
        for (int o = 0; o < outer; o++) {
            combine(partial, o * rowBlocks * inner, rowBlocks, inner, y, yo + o * inner);
        }
        Pool.floats().release(partial);
    }

    /// Writes the sums of each block of rows to `to`, laid out [outer, rowBlocks, inner].
    private static void blocks(
            float[] x, int xo, float[] to, int at, int outer, int n, int inner, int rowBlocks) {
        int width = Math.min(inner, COLUMNS);
        int columnBlocks = Math.max(1, (inner + COLUMNS - 1) / COLUMNS);
        long work = (long) Math.min(n, ROWS) * width;
        int grain = Math.clamp(Elementwise.GRAIN / Math.max(1, work), 1, 1 << 20);
        Parallel.forRange(
                outer * rowBlocks * columnBlocks,
                grain,
                (from, end) -> {
                    for (int task = from; task < end; task++) {
                        int column = task % columnBlocks * COLUMNS;
                        int block = task / columnBlocks;
                        int o = block / rowBlocks;
                        int first = block % rowBlocks * ROWS;
                        int rows = Math.min(ROWS, n - first);
                        int source = xo + (o * n + first) * inner + column;
                        int target = at + block * inner + column;
                        int columns = Math.min(COLUMNS, inner - column);
                        addRows(x, source, inner, rows, columns, to, target);
                    }
                });
    }

    /// Sets y[j] to the sum over the rows, four vectors of columns at a time.
    private static void addRows(
            float[] x, int xo, int stride, int rows, int columns, float[] y, int yo) {
        int j = 0;
        for (; j <= columns - 4 * V; j += 4 * V) {
            FloatVector a = FloatVector.zero(F);
            FloatVector b = a;
            FloatVector c = a;
            FloatVector d = a;
            for (int i = 0, at = xo + j; i < rows; i++, at += stride) {
                a = FloatVector.fromArray(F, x, at).add(a);
                b = FloatVector.fromArray(F, x, at + V).add(b);
                c = FloatVector.fromArray(F, x, at + 2 * V).add(c);
                d = FloatVector.fromArray(F, x, at + 3 * V).add(d);
            }
            a.intoArray(y, yo + j);
            b.intoArray(y, yo + j + V);
            c.intoArray(y, yo + j + 2 * V);
            d.intoArray(y, yo + j + 3 * V);
        }
        for (; j < columns; j += V) {
            var lanes = Lanes.first(columns - j);
            FloatVector a = FloatVector.zero(F);
            for (int i = 0, at = xo + j; i < rows; i++, at += stride) {
                a = FloatVector.fromArray(F, x, at, lanes).add(a);
            }
            a.intoArray(y, yo + j, lanes);
        }
    }

    /// Sets y[j] = Σᵢ partial[i, j] in doubles, in the order of i.
    static void combine(float[] partial, int po, int rows, int columns, float[] y, int yo) {
        Parallel.forRange(
                columns,
                Math.max(64, Elementwise.GRAIN / Math.max(1, rows)),
                (from, to) -> {
                    double[] sums = new double[to - from];
                    for (int i = 0; i < rows; i++) {
                        int at = po + i * columns + from;
                        for (int j = 0; j < sums.length; j++) {
                            sums[j] += partial[at + j];
                        }
                    }
                    for (int j = 0; j < sums.length; j++) {
                        y[yo + from + j] = (float) sums[j];
                    }
                });
    }
}
