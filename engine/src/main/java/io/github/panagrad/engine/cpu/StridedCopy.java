package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.V;

import io.github.panagrad.engine.ground.Parallel;

/// Copies a strided array row by row into a contiguous one: what makes views contiguous.
///
/// Three ways, by the strides that are left when dimensions have been merged ([StridedWalk]): runs
/// of a contiguous innermost dimension (splitting and merging attention heads) are array copies; a
/// dimension further out that is contiguous (a transpose) is copied in squares that are turned in
/// registers; anything else goes element by element.
final class StridedCopy {
    /// Rows of the result that are written together: a multiple of every vector width.
    private static final int BAND = 32;

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
        int bands = (rows + BAND - 1) / BAND;
        int planes = walk.size() / Math.max(1, rows * columns);
        Parallel.forRange(
                planes * bands,
                Math.max(1, Elementwise.GRAIN / Math.max(1, BAND * columns)),
                (from, to) -> {
                    for (int task = from; task < to; task++) {
                        int plane = task / bands;
                        int first = task % bands * BAND;
                        int target = plane / perRow * (rows * outStride) + plane % perRow * columns;
                        int source = sourceOf(walk, d, plane);
                        band(
                                x,
                                xo + source + first,
                                columnStride,
                                y,
                                yo + target + first * outStride,
                                outStride,
                                Math.min(BAND, rows - first),
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

    /// y[r·yStride + c] = x[r + c·xStride] for r < rows, in squares of a vector's width that are
    /// transposed in registers; what is left over at the edges goes element by element.
    private static void band(
            float[] x, int xo, int xStride, float[] y, int yo, int yStride, int rows, int columns) {
        int wholeRows = rows & -V;
        int wholeColumns = columns & -V;
        for (int r = 0; r < wholeRows; r += V) {
            for (int c = 0; c < wholeColumns; c += V) {
                square(x, xo + r + c * xStride, xStride, y, yo + r * yStride + c, yStride);
            }
        }
        edge(x, xo, xStride, y, yo, yStride, 0, wholeRows, wholeColumns, columns);
        edge(x, xo, xStride, y, yo, yStride, wholeRows, rows, 0, columns);
    }

    private static void square(float[] x, int xo, int xStride, float[] y, int yo, int yStride) {
        switch (V) {
            case 16 -> Interleave.zip16(x, xo, xStride, y, yo, yStride);
            case 8 -> Interleave.zip8(x, xo, xStride, y, yo, yStride);
            default -> Interleave.zip4(x, xo, xStride, y, yo, yStride);
        }
    }

    private static void edge(
            float[] x,
            int xo,
            int xStride,
            float[] y,
            int yo,
            int yStride,
            int firstRow,
            int lastRow,
            int firstColumn,
            int lastColumn) {
        for (int r = firstRow; r < lastRow; r++) {
            for (int c = firstColumn; c < lastColumn; c++) {
                y[yo + r * yStride + c] = x[xo + r + c * xStride];
            }
        }
    }
}
