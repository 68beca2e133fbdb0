package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.V;

/// The choice of micro-kernel: the part of C that it computes at a time.
final class Tiles {
    private static final boolean REGISTERS_32 =
            V == 16 || System.getProperty("os.arch", "").equals("aarch64");

    /// Rows of a tile.
    static final int ROWS = REGISTERS_32 ? 8 : 4;

    /// Columns of a tile.
    static final int COLUMNS = 2 * V;

    private Tiles() {}

    /// Adds to a tile of C the product of a panel of A, [kc, ROWS], and one of B, [kc, COLUMNS].
    ///
    /// There is no variant that stores: with both in one method it ran at 0.8 of its speed.
    static void multiply(int kc, float[] a, int ao, float[] b, int bo, float[] c, int co, int ldc) {
        if (REGISTERS_32) {
            Tile8x2.run(kc, a, ao, b, bo, c, co, ldc);
        } else {
            Tile4x2.run(kc, a, ao, b, bo, c, co, ldc);
        }
    }
}
