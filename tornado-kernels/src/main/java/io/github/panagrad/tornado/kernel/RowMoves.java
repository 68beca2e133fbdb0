package io.github.panagrad.tornado.kernel;

import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Moves some rows of a matrix together, and back; no row twice, and their numbers are trusted.
final class RowMoves {
    private static final int LOCAL = 64;

    private final Program gather;
    private final Program spread;

    RowMoves(Programs programs) {
        gather = programs.add("gatherRows", LOCAL, RowMoves::kGatherRows);
        spread = programs.add("spreadRows", LOCAL, RowMoves::kSpreadRows);
    }

    /// Copies the rows with the given numbers to a matrix of their own.
    void gather(int from, int numbers, int rows, int dim, int to) {
        gather.launch(rows * dim, new int[] {rows * dim, dim, from, numbers, to});
    }

    /// Copies the rows of a matrix to those with the given numbers.
    void spread(int from, int numbers, int rows, int dim, int to) {
        spread.launch(rows * dim, new int[] {rows * dim, dim, from, numbers, to});
    }

    // p: elements, elements of a row, from, numbers of the rows, to

    private static void kGatherRows(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int dim = p.get(1);
            int row = n.get(p.get(3) + i / dim);
            f.set(p.get(4) + i, f.get(p.get(2) + row * dim + i % dim));
        }
    }

    private static void kSpreadRows(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int dim = p.get(1);
            int row = n.get(p.get(3) + i / dim);
            f.set(p.get(4) + row * dim + i % dim, f.get(p.get(2) + i));
        }
    }
}
