package io.github.panagrad.engine.cpu;

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
    /// @param width row length of the tile, at least `dim`
    /// @param rows rows of the tile, at least `n`
    void copyRows(int b, int t, int h, int n, int dim, float[] tile, int off, int width, int rows) {
        int from = at(b, t, h);
        for (int i = 0; i < n; i++) {
            System.arraycopy(data, from, tile, off + i * width, dim);
            if (dim < width) {
                java.util.Arrays.fill(tile, off + i * width + dim, off + (i + 1) * width, 0);
            }
            from += timeStride;
        }
        java.util.Arrays.fill(tile, off + n * width, off + rows * width, 0);
    }

    /// Writes `n` heads from token `t` on, times `scale`, as the columns of a tile [dim, width].
    ///
    /// Columns n … `columns`−1 become zero.
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
        for (int i = 0; i < columns; i++) {
            if (i < n) {
                for (int d = 0, to = i; d < dim; d++, to += width) {
                    tile[to] = data[from + d] * scale;
                }
                from += timeStride;
            } else {
                for (int d = 0, to = i; d < dim; d++, to += width) {
                    tile[to] = 0;
                }
            }
        }
    }

    /// Writes rows of a tile, times `scale`, to `n` heads from token `t` on.
    void writeRows(
            int b, int t, int h, int n, int dim, float scale, float[] tile, int off, int width) {
        int to = at(b, t, h);
        for (int i = 0; i < n; i++) {
            int from = off + i * width;
            for (int d = 0; d < dim; d++) {
                data[to + d] = tile[from + d] * scale;
            }
            to += timeStride;
        }
    }
}
