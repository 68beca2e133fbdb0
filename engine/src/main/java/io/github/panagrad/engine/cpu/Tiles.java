package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.V;

/// The choice of micro-kernel, and how it cuts the columns of C into panels.
///
/// With 32 vector registers: 8 rows by 3 vectors, the last one or two panels 2 vectors wide where that
/// saves padding. With 16 registers: 4 rows by 2 vectors.
///
/// @param wide how many panels are 3·V columns wide; they come first
/// @param narrow how many are 2·V columns wide
record Tiles(int wide, int narrow) {
    private static final boolean REGISTERS_32 =
            V == 16 || System.getProperty("os.arch", "").equals("aarch64");

    /// Rows of a tile.
    static final int ROWS = REGISTERS_32 ? 8 : 4;

    /// Columns of the widest tile.
    static final int COLUMNS = REGISTERS_32 ? 3 * V : 2 * V;

    private static final int NARROW = 2 * V;

    /// Cuts `columns` columns.
    static Tiles of(int columns) {
        if (!REGISTERS_32) {
            return new Tiles(0, (columns + NARROW - 1) / NARROW);
        }
        int vectors = (columns + V - 1) / V;
        return switch (vectors % 3) {
            case 0 -> new Tiles(vectors / 3, 0);
            case 1 -> vectors == 1 ? new Tiles(0, 1) : new Tiles(vectors / 3 - 1, 2);
            default -> new Tiles(vectors / 3, 1);
        };
    }

    /// Returns the number of panels.
    int count() {
        return wide + narrow;
    }

    /// Returns the first column of a panel; that of the panel after the last is the padded width.
    int start(int panel) {
        return panel <= wide ? panel * COLUMNS : wide * COLUMNS + (panel - wide) * NARROW;
    }

    /// Returns the columns of a panel.
    int width(int panel) {
        return panel < wide ? COLUMNS : NARROW;
    }

    /// Runs the micro-kernel for a panel of the given width.
    static void multiply(
            int width,
            int kc,
            float[] a,
            int ao,
            float[] b,
            int bo,
            float[] c,
            int co,
            int ldc,
            boolean add) {
        if (!REGISTERS_32) {
            Tile4x2.run(kc, a, ao, b, bo, c, co, ldc, add);
        } else if (width == COLUMNS) {
            Tile8x3.run(kc, a, ao, b, bo, c, co, ldc, add);
        } else {
            Tile8x2.run(kc, a, ao, b, bo, c, co, ldc, add);
        }
    }
}
