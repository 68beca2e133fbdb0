package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;

import jdk.incubator.vector.FloatVector;

/// The choice of micro-kernel: the part of C that it computes at a time.
final class Tiles {
    private static final boolean REGISTERS_32 =
            V == 16 || System.getProperty("os.arch", "").equals("aarch64");

    /// Rows of a tile.
    static final int ROWS = REGISTERS_32 ? 8 : 4;

    /// Columns of a tile.
    static final int COLUMNS = 2 * V;

    private Tiles() {}

    /// Stores to a tile of C the product of a panel of A, [kc, ROWS], and one of B, [kc, COLUMNS].
    static void multiply(int kc, float[] a, int ao, float[] b, int bo, float[] c, int co, int ldc) {
        if (REGISTERS_32) {
            Tile8x2.multiply(kc, a, ao, b, bo, c, co, ldc);
        } else {
            Tile4x2.multiply(kc, a, ao, b, bo, c, co, ldc);
        }
    }

    /// Adds a tile, [rows, columns], to a tile of C.
    ///
    /// Not part of the micro-kernels: whether sums started from C or took it in after their loop, some JVM
    /// runs boxed them, at 0.6 of the speed or a tenth.
    ///
    /// @param columns a multiple of [Lanes#V]
    static void add(float[] tile, int rows, int columns, float[] c, int co, int ldc) {
        for (int row = 0, from = 0; row < rows; row++, co += ldc) {
            for (int j = 0; j < columns; j += V, from += V) {
                FloatVector old = FloatVector.fromArray(F, c, co + j);
                old.add(FloatVector.fromArray(F, tile, from)).intoArray(c, co + j);
            }
        }
    }
}
