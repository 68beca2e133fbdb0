package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.Parallel;

/// Copies a strided array row by row into a contiguous one: what makes views contiguous.
///
/// Three ways, by the strides that are left when dimensions have been merged ([StridedWalk]): runs
/// of a contiguous innermost dimension (splitting and merging attention heads) are array copies;
/// a
/// dimension further out that is contiguous (a transpose) is copied in square tiles, so that every
/// cache line is read and written once; anything else element by element.
final class StridedCopy {
    /// A tile of floats and its copy take 8 KiB: they stay in the first-level cache.
    private static final int TILE = 32;

    private StridedCopy() {}

    /// Copies operand 0 of the walk, which begins at `xo`, to y from `yo`; the arrays differ.
    static void copy(StridedWalk walk, float[] x, int xo, float[] y, int yo) {
        int last = walk.rank() - 1;
        int contiguous = -1;
        for (int d = 0; d < last && walk.stride(0, last) > 1; d++) {
            if (walk.stride(0, d) == 1) {
                contiguous = d;
            }
        }
        if (contiguous >= 0) {
            transpose(walk, contiguous, x, xo, y, yo);
        } else {
            Parallel.forRange(
                    walk.size(),
                    Elementwise.GRAIN,
                    (from, to) -> walk.gather(0, x, xo, from, to, y, yo + from));
        }
    }

    /// Copies the planes of dimension d, contiguous in x, and the last one, contiguous in y.
    private static void transpose(StridedWalk walk, int d, float[] x, int xo, float[] y, int yo) {
        int last = walk.rank() - 1;
        int rows = walk.dim(d);
        int columns = walk.dim(last);
        int columnStride = walk.stride(0, last);
        int outStride = walk.sizeFrom(d + 1);
        int perRow = outStride / Math.max(1, columns);
        int bands = (rows + TILE - 1) / TILE;
        int planes = walk.size() / Math.max(1, rows * columns);
        Parallel.forRange(
                planes * bands,
                Math.max(1, Elementwise.GRAIN / Math.max(1, TILE * columns)),
                (from, to) -> {
                    for (int task = from; task < to; task++) {
                        int plane = task / bands;
                        int first = task % bands * TILE;
                        int target = plane / perRow * (rows * outStride) + plane % perRow * columns;
                        int source = sourceOf(walk, d, plane);
                        band(
                                x,
                                xo + source + first,
                                columnStride,
                                y,
                                yo + target + first * outStride,
                                outStride,
                                Math.min(TILE, rows - first),
                                columns);
                    }
                });
    }

    /// The start in x of the plane-th plane, planes counted in the order of the other dimensions.
    private static int sourceOf(StridedWalk walk, int d, int plane) {
        int at = 0;
        int rest = plane;
        for (int i = walk.rank() - 2; i >= 0; i--) {
            if (i != d) {
                at += rest % walk.dim(i) * walk.stride(0, i);
                rest /= walk.dim(i);
            }
        }
        return at;
    }

    /// y[r·yStride + c] = x[r + c·xStride], for r < rows ≤ TILE.
    private static void band(
            float[] x, int xo, int xStride, float[] y, int yo, int yStride, int rows, int columns) {
        for (int from = 0; from < columns; from += TILE) {
            int to = Math.min(from + TILE, columns);
            for (int r = 0; r < rows; r++) {
                int target = yo + r * yStride;
                int source = xo + r + from * xStride;
                for (int c = from; c < to; c++, source += xStride) {
                    y[target + c] = x[source];
                }
            }
        }
    }
}
