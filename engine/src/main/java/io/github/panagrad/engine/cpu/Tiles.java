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

    /// Stores to a tile of C, or adds to it, the product of a panel of A, [kc, ROWS], and one of B,
    /// [kc, COLUMNS].
    ///
    /// Two kernels: with both in one method it ran at 0.8 of its speed.
    static void multiply(
            int kc, float[] a, int ao, float[] b, int bo, float[] c, int co, int ldc, boolean add) {
        if (REGISTERS_32) {
            if (add) {
                Tile8x2.add(kc, a, ao, b, bo, c, co, ldc);
            } else {
                Tile8x2.store(kc, a, ao, b, bo, c, co, ldc);
            }
        } else if (add) {
            Tile4x2.add(kc, a, ao, b, bo, c, co, ldc);
        } else {
            Tile4x2.store(kc, a, ao, b, bo, c, co, ldc);
        }
    }
}
