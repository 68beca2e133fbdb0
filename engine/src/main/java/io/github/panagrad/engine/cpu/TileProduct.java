package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;

import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/// Products of tiles that lie in the first-level cache: C (+)= A·B with B's rows along the lanes.
///
/// A is read an element at a time and broadcast, in whatever order its two strides say, so the same
/// kernel serves A and its transpose without a copy. Nothing is packed and nothing is blocked for a
/// cache: the caller's tiles are small, and padded to full vectors and to eight rows. Large
/// products belong to [Gemm].
final class TileProduct {
    /// Rows that the kernels compute together; tiles are padded to a multiple of it.
    static final int ROWS = 8;

    /// Distance of A's elements along k that the kernels know besides 1: the row length of scores.
    static final int PITCH = 48;

    /// Three vectors a row need 24 accumulators, which only 32 registers can hold.
    private static final int WIDEST = Tiles.ROWS == 8 ? 3 : 1;

    /// Floats of the largest tile that a kernel computes.
    static final int TILE = 24 * V;

    private TileProduct() {}

    /// Rounds up to full vectors.
    static int padLanes(int n) {
        return (n + V - 1) / V * V;
    }

    /// Rounds up to full groups of rows.
    static int padRows(int n) {
        return (n + ROWS - 1) / ROWS * ROWS;
    }

    /// Computes `c[m][n] (+)= a[m][k] · b[k][n]`.
    ///
    /// @param m rows of c, a multiple of [#ROWS]
    /// @param n columns of c, a multiple of [Lanes#V]
    /// @param rowStride distance of a's elements along m
    /// @param stepStride distance of a's elements along k
    /// @param sums [#TILE] floats through which the product is added to c; null to overwrite c
    static void multiply(
            int m,
            int n,
            int k,
            float[] a,
            int aOff,
            int rowStride,
            int stepStride,
            float[] b,
            int bOff,
            int ldb,
            float[] c,
            int cOff,
            int ldc,
            float @Nullable [] sums) {
        for (int column = 0; column < n; ) {
            int left = (n - column) / V;
            boolean four = WIDEST == 3 && m % Tile6x4.ROWS == 0 && left != 5 && left != 6;
            if (four && left >= 4 && (stepStride == 1 || stepStride == PITCH)) {
                rows6x4(
                        m,
                        k,
                        a,
                        aOff,
                        rowStride,
                        stepStride,
                        b,
                        bOff + column,
                        ldb,
                        c,
                        cOff + column,
                        ldc,
                        sums);
                column += 4 * V;
                continue;
            }
            // Four vectors are faster as two and two than as three and one.
            int width = Math.min(WIDEST, left == 4 ? 2 : left);
            for (int row = 0; row < m; row += ROWS) {
                int aRow = aOff + row * rowStride;
                int cRow = cOff + row * ldc + column;
                int bCol = bOff + column;
                float[] to = sums == null ? c : sums;
                int toRow = sums == null ? cRow : 0;
                int pitch = sums == null ? ldc : width * V;
                switch (width) {
                    case 1 ->
                            rows8x1(
                                    k,
                                    a,
                                    aRow,
                                    rowStride,
                                    stepStride,
                                    b,
                                    bCol,
                                    ldb,
                                    to,
                                    toRow,
                                    pitch);
                    case 2 ->
                            rows8x2(
                                    k,
                                    a,
                                    aRow,
                                    rowStride,
                                    stepStride,
                                    b,
                                    bCol,
                                    ldb,
                                    to,
                                    toRow,
                                    pitch);
                    default ->
                            rows8x3(
                                    k,
                                    a,
                                    aRow,
                                    rowStride,
                                    stepStride,
                                    b,
                                    bCol,
                                    ldb,
                                    to,
                                    toRow,
                                    pitch);
                }
                if (sums != null) {
                    Tiles.add(sums, ROWS, width * V, c, cRow, ldc);
                }
            }
            column += width * V;
        }
    }

    private static void rows6x4(
            int m,
            int k,
            float[] a,
            int aOff,
            int rowStride,
            int stepStride,
            float[] b,
            int bOff,
            int ldb,
            float[] c,
            int cOff,
            int ldc,
            float @Nullable [] sums) {
        for (int row = 0; row < m; row += Tile6x4.ROWS) {
            int aRow = aOff + row * rowStride;
            int cRow = cOff + row * ldc;
            float[] to = sums == null ? c : sums;
            int toRow = sums == null ? cRow : 0;
            int pitch = sums == null ? ldc : 4 * V;
            if (stepStride == 1) {
                Tile6x4.steps(k, a, aRow, rowStride, b, bOff, ldb, to, toRow, pitch);
            } else {
                Tile6x4.rows(k, a, aRow, rowStride, b, bOff, ldb, to, toRow, pitch);
            }
            if (sums != null) {
                Tiles.add(sums, Tile6x4.ROWS, 4 * V, c, cRow, ldc);
            }
        }
    }

    /// Eight rows of 3 vectors: sums stay in registers because each is a local of its own.
    private static void rows8x3(
            int k,
            float[] a,
            int aOff,
            int rowStride,
            int stepStride,
            float[] b,
            int bOff,
            int ldb,
            float[] c,
            int cOff,
            int ldc) {
        FloatVector c00 = FloatVector.zero(F);
        FloatVector c01 = FloatVector.zero(F);
        FloatVector c02 = FloatVector.zero(F);
        FloatVector c10 = FloatVector.zero(F);
        FloatVector c11 = FloatVector.zero(F);
        FloatVector c12 = FloatVector.zero(F);
        FloatVector c20 = FloatVector.zero(F);
        FloatVector c21 = FloatVector.zero(F);
        FloatVector c22 = FloatVector.zero(F);
        FloatVector c30 = FloatVector.zero(F);
        FloatVector c31 = FloatVector.zero(F);
        FloatVector c32 = FloatVector.zero(F);
        FloatVector c40 = FloatVector.zero(F);
        FloatVector c41 = FloatVector.zero(F);
        FloatVector c42 = FloatVector.zero(F);
        FloatVector c50 = FloatVector.zero(F);
        FloatVector c51 = FloatVector.zero(F);
        FloatVector c52 = FloatVector.zero(F);
        FloatVector c60 = FloatVector.zero(F);
        FloatVector c61 = FloatVector.zero(F);
        FloatVector c62 = FloatVector.zero(F);
        FloatVector c70 = FloatVector.zero(F);
        FloatVector c71 = FloatVector.zero(F);
        FloatVector c72 = FloatVector.zero(F);
        int i = aOff;
        int j = bOff;
        for (int step = 0; step < k; step++) {
            FloatVector b0 = FloatVector.fromArray(F, b, j);
            FloatVector b1 = FloatVector.fromArray(F, b, j + V);
            FloatVector b2 = FloatVector.fromArray(F, b, j + 2 * V);
            FloatVector a0 = FloatVector.broadcast(F, a[i]);
            c00 = a0.fma(b0, c00);
            c01 = a0.fma(b1, c01);
            c02 = a0.fma(b2, c02);
            FloatVector a1 = FloatVector.broadcast(F, a[i + rowStride]);
            c10 = a1.fma(b0, c10);
            c11 = a1.fma(b1, c11);
            c12 = a1.fma(b2, c12);
            FloatVector a2 = FloatVector.broadcast(F, a[i + 2 * rowStride]);
            c20 = a2.fma(b0, c20);
            c21 = a2.fma(b1, c21);
            c22 = a2.fma(b2, c22);
            FloatVector a3 = FloatVector.broadcast(F, a[i + 3 * rowStride]);
            c30 = a3.fma(b0, c30);
            c31 = a3.fma(b1, c31);
            c32 = a3.fma(b2, c32);
            FloatVector a4 = FloatVector.broadcast(F, a[i + 4 * rowStride]);
            c40 = a4.fma(b0, c40);
            c41 = a4.fma(b1, c41);
            c42 = a4.fma(b2, c42);
            FloatVector a5 = FloatVector.broadcast(F, a[i + 5 * rowStride]);
            c50 = a5.fma(b0, c50);
            c51 = a5.fma(b1, c51);
            c52 = a5.fma(b2, c52);
            FloatVector a6 = FloatVector.broadcast(F, a[i + 6 * rowStride]);
            c60 = a6.fma(b0, c60);
            c61 = a6.fma(b1, c61);
            c62 = a6.fma(b2, c62);
            FloatVector a7 = FloatVector.broadcast(F, a[i + 7 * rowStride]);
            c70 = a7.fma(b0, c70);
            c71 = a7.fma(b1, c71);
            c72 = a7.fma(b2, c72);
            i += stepStride;
            j += ldb;
        }
        c00.intoArray(c, cOff);
        c01.intoArray(c, cOff + V);
        c02.intoArray(c, cOff + 2 * V);
        c10.intoArray(c, cOff + ldc);
        c11.intoArray(c, cOff + ldc + V);
        c12.intoArray(c, cOff + ldc + 2 * V);
        c20.intoArray(c, cOff + 2 * ldc);
        c21.intoArray(c, cOff + 2 * ldc + V);
        c22.intoArray(c, cOff + 2 * ldc + 2 * V);
        c30.intoArray(c, cOff + 3 * ldc);
        c31.intoArray(c, cOff + 3 * ldc + V);
        c32.intoArray(c, cOff + 3 * ldc + 2 * V);
        c40.intoArray(c, cOff + 4 * ldc);
        c41.intoArray(c, cOff + 4 * ldc + V);
        c42.intoArray(c, cOff + 4 * ldc + 2 * V);
        c50.intoArray(c, cOff + 5 * ldc);
        c51.intoArray(c, cOff + 5 * ldc + V);
        c52.intoArray(c, cOff + 5 * ldc + 2 * V);
        c60.intoArray(c, cOff + 6 * ldc);
        c61.intoArray(c, cOff + 6 * ldc + V);
        c62.intoArray(c, cOff + 6 * ldc + 2 * V);
        c70.intoArray(c, cOff + 7 * ldc);
        c71.intoArray(c, cOff + 7 * ldc + V);
        c72.intoArray(c, cOff + 7 * ldc + 2 * V);
    }

    /// Eight rows of 2 vectors: sums stay in registers because each is a local of its own.
    private static void rows8x2(
            int k,
            float[] a,
            int aOff,
            int rowStride,
            int stepStride,
            float[] b,
            int bOff,
            int ldb,
            float[] c,
            int cOff,
            int ldc) {
        FloatVector c00 = FloatVector.zero(F);
        FloatVector c01 = FloatVector.zero(F);
        FloatVector c10 = FloatVector.zero(F);
        FloatVector c11 = FloatVector.zero(F);
        FloatVector c20 = FloatVector.zero(F);
        FloatVector c21 = FloatVector.zero(F);
        FloatVector c30 = FloatVector.zero(F);
        FloatVector c31 = FloatVector.zero(F);
        FloatVector c40 = FloatVector.zero(F);
        FloatVector c41 = FloatVector.zero(F);
        FloatVector c50 = FloatVector.zero(F);
        FloatVector c51 = FloatVector.zero(F);
        FloatVector c60 = FloatVector.zero(F);
        FloatVector c61 = FloatVector.zero(F);
        FloatVector c70 = FloatVector.zero(F);
        FloatVector c71 = FloatVector.zero(F);
        int i = aOff;
        int j = bOff;
        for (int step = 0; step < k; step++) {
            FloatVector b0 = FloatVector.fromArray(F, b, j);
            FloatVector b1 = FloatVector.fromArray(F, b, j + V);
            FloatVector a0 = FloatVector.broadcast(F, a[i]);
            c00 = a0.fma(b0, c00);
            c01 = a0.fma(b1, c01);
            FloatVector a1 = FloatVector.broadcast(F, a[i + rowStride]);
            c10 = a1.fma(b0, c10);
            c11 = a1.fma(b1, c11);
            FloatVector a2 = FloatVector.broadcast(F, a[i + 2 * rowStride]);
            c20 = a2.fma(b0, c20);
            c21 = a2.fma(b1, c21);
            FloatVector a3 = FloatVector.broadcast(F, a[i + 3 * rowStride]);
            c30 = a3.fma(b0, c30);
            c31 = a3.fma(b1, c31);
            FloatVector a4 = FloatVector.broadcast(F, a[i + 4 * rowStride]);
            c40 = a4.fma(b0, c40);
            c41 = a4.fma(b1, c41);
            FloatVector a5 = FloatVector.broadcast(F, a[i + 5 * rowStride]);
            c50 = a5.fma(b0, c50);
            c51 = a5.fma(b1, c51);
            FloatVector a6 = FloatVector.broadcast(F, a[i + 6 * rowStride]);
            c60 = a6.fma(b0, c60);
            c61 = a6.fma(b1, c61);
            FloatVector a7 = FloatVector.broadcast(F, a[i + 7 * rowStride]);
            c70 = a7.fma(b0, c70);
            c71 = a7.fma(b1, c71);
            i += stepStride;
            j += ldb;
        }
        c00.intoArray(c, cOff);
        c01.intoArray(c, cOff + V);
        c10.intoArray(c, cOff + ldc);
        c11.intoArray(c, cOff + ldc + V);
        c20.intoArray(c, cOff + 2 * ldc);
        c21.intoArray(c, cOff + 2 * ldc + V);
        c30.intoArray(c, cOff + 3 * ldc);
        c31.intoArray(c, cOff + 3 * ldc + V);
        c40.intoArray(c, cOff + 4 * ldc);
        c41.intoArray(c, cOff + 4 * ldc + V);
        c50.intoArray(c, cOff + 5 * ldc);
        c51.intoArray(c, cOff + 5 * ldc + V);
        c60.intoArray(c, cOff + 6 * ldc);
        c61.intoArray(c, cOff + 6 * ldc + V);
        c70.intoArray(c, cOff + 7 * ldc);
        c71.intoArray(c, cOff + 7 * ldc + V);
    }

    /// Eight rows of one vector: sums stay in registers because each is a local of its own.
    private static void rows8x1(
            int k,
            float[] a,
            int aOff,
            int rowStride,
            int stepStride,
            float[] b,
            int bOff,
            int ldb,
            float[] c,
            int cOff,
            int ldc) {
        FloatVector c00 = FloatVector.zero(F);
        FloatVector c10 = FloatVector.zero(F);
        FloatVector c20 = FloatVector.zero(F);
        FloatVector c30 = FloatVector.zero(F);
        FloatVector c40 = FloatVector.zero(F);
        FloatVector c50 = FloatVector.zero(F);
        FloatVector c60 = FloatVector.zero(F);
        FloatVector c70 = FloatVector.zero(F);
        int i = aOff;
        int j = bOff;
        for (int step = 0; step < k; step++) {
            FloatVector b0 = FloatVector.fromArray(F, b, j);
            FloatVector a0 = FloatVector.broadcast(F, a[i]);
            c00 = a0.fma(b0, c00);
            FloatVector a1 = FloatVector.broadcast(F, a[i + rowStride]);
            c10 = a1.fma(b0, c10);
            FloatVector a2 = FloatVector.broadcast(F, a[i + 2 * rowStride]);
            c20 = a2.fma(b0, c20);
            FloatVector a3 = FloatVector.broadcast(F, a[i + 3 * rowStride]);
            c30 = a3.fma(b0, c30);
            FloatVector a4 = FloatVector.broadcast(F, a[i + 4 * rowStride]);
            c40 = a4.fma(b0, c40);
            FloatVector a5 = FloatVector.broadcast(F, a[i + 5 * rowStride]);
            c50 = a5.fma(b0, c50);
            FloatVector a6 = FloatVector.broadcast(F, a[i + 6 * rowStride]);
            c60 = a6.fma(b0, c60);
            FloatVector a7 = FloatVector.broadcast(F, a[i + 7 * rowStride]);
            c70 = a7.fma(b0, c70);
            i += stepStride;
            j += ldb;
        }
        c00.intoArray(c, cOff);
        c10.intoArray(c, cOff + ldc);
        c20.intoArray(c, cOff + 2 * ldc);
        c30.intoArray(c, cOff + 3 * ldc);
        c40.intoArray(c, cOff + 4 * ldc);
        c50.intoArray(c, cOff + 5 * ldc);
        c60.intoArray(c, cOff + 6 * ldc);
        c70.intoArray(c, cOff + 7 * ldc);
    }
}
