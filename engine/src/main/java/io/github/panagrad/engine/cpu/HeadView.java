package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Attention heads in an array: where element (b, t, h, 0) lies; the D elements of a head are
/// adjacent.
///
/// The strides make both layouts, [B, T, H, D] and [B, H, T, D], and a cache that is longer than
/// what is in use, readable without a copy.
///
/// @param data the array
/// @param offset position of element (0, 0, 0, 0)
/// @param batchStride from one sequence to the next
/// @param timeStride from one token to the next
/// @param headStride from one head to the next
public record HeadView(float[] data, int offset, int batchStride, int timeStride, int headStride) {
    /// Views a dense array as [B, T, H, D].
    public static HeadView bthd(float[] data, int offset, int time, int heads, int dim) {
        return new HeadView(data, offset, time * heads * dim, heads * dim, dim);
    }

    /// Views a dense array as [B, H, T, D].
    public static HeadView bhtd(float[] data, int offset, int time, int heads, int dim) {
        return new HeadView(data, offset, heads * time * dim, dim, time * dim);
    }

    /// Returns the position of the first element of a head.
    int at(int b, int t, int h) {
        return offset + b * batchStride + t * timeStride + h * headStride;
    }

    /// Copies `n` heads from token `t` on into rows of `width`, and fills up with zeros.
    ///
    /// @param width row length of the tile, `dim` rounded up to full vectors
    /// @param rows rows of the tile, at least `n`
    void copyRows(int b, int t, int h, int n, int dim, float[] tile, int off, int width, int rows) {
        int from = at(b, t, h);
        int full = dim / V * V;
        for (int i = 0; i < n; i++) {
            int to = off + i * width;
            for (int d = 0; d < full; d += V) {
                FloatVector.fromArray(F, data, from + d).intoArray(tile, to + d);
            }
            if (full < dim) {
                FloatVector.zero(F).intoArray(tile, to + full);
                for (int d = full; d < dim; d++) {
                    tile[to + d] = data[from + d];
                }
            }
            from += timeStride;
        }
        Arrays.fill(tile, off + n * width, off + rows * width, 0);
    }

    /// Writes `n` heads from token `t` on, times `scale`, as the columns of a tile [dim, width].
    ///
    /// Squares of V by V are turned in registers. Columns n … `columns`−1 become zero.
    ///
    /// @param columns a multiple of V
    void copyColumns(
            int b,
            int t,
            int h,
            int n,
            int dim,
            float scale,
            float[] tile,
            int width,
            int columns) {
        int from = at(b, t, h);
        int full = dim / V * V;
        int i = 0;
        for (; i + V <= n; i += V) {
            for (int d = 0; d < full; d += V) {
                turn(from + d, tile, d * width + i, width);
            }
            column(from, i, V, full, dim, tile, width);
            from += V * timeStride;
        }
        if (i < n) {
            for (int d = 0; d < dim; d++) {
                FloatVector.zero(F).intoArray(tile, d * width + i);
            }
            column(from, i, n - i, 0, dim, tile, width);
            i += V;
        }
        for (int d = 0; d < dim; d++) {
            int row = d * width;
            for (int j = i; j < columns; j += V) {
                FloatVector.zero(F).intoArray(tile, row + j);
            }
            if (scale != 1) {
                for (int j = 0; j < i; j += V) {
                    FloatVector.fromArray(F, tile, row + j).mul(scale).intoArray(tile, row + j);
                }
            }
        }
    }

    private void turn(int from, float[] tile, int to, int width) {
        switch (V) {
            case 16 -> Interleave.zip16(data, from, timeStride, tile, to, width);
            case 8 -> Interleave.zip8(data, from, timeStride, tile, to, width);
            default -> Interleave.zip4(data, from, timeStride, tile, to, width);
        }
    }

    /// Writes elements `low` to `dim` of `n` heads as columns from `i` on.
    private void column(int from, int i, int n, int low, int dim, float[] tile, int width) {
        for (int j = 0; j < n; j++) {
            int at = from + j * timeStride;
            for (int d = low; d < dim; d++) {
                tile[d * width + i + j] = data[at + d];
            }
        }
    }

    /// Writes rows of a tile, times `scale`, to `n` heads from token `t` on.
    void writeRows(
            int b, int t, int h, int n, int dim, float scale, float[] tile, int off, int width) {
        int to = at(b, t, h);
        int full = dim / V * V;
        for (int i = 0; i < n; i++) {
            int from = off + i * width;
            for (int d = 0; d < full; d += V) {
                FloatVector.fromArray(F, tile, from + d).mul(scale).intoArray(data, to + d);
            }
            for (int d = full; d < dim; d++) {
                data[to + d] = tile[from + d] * scale;
            }
            to += timeStride;
        }
    }
}
