package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static io.github.panagrad.engine.cpu.TileProduct.PITCH;

import jdk.incubator.vector.FloatVector;

/// Six rows by four vectors, for [TileProduct]: rows of 64 floats are two 512-bit loads for every
/// three multiply-adds fewer than as two and two.
///
/// One kernel for each order that A can lie in, because the distance along k has to be a constant:
/// only then does C2 move the bounds checks of the six broadcasts out of the loop. The distance
/// between rows must not be one: with six neighbours C2 loads all of A's elements ahead, and an
/// accumulator goes through memory. 24 accumulators, four vectors of B and a broadcast fit 32
/// registers only.
final class Tile6x4 {
    /// Rows of a tile.
    static final int ROWS = 6;

    private Tile6x4() {}

    /// Computes six rows of 4 vectors; A's elements are adjacent along k.
    static void steps(
            int k,
            float[] a,
            int aOff,
            int rowStride,
            float[] b,
            int bOff,
            int ldb,
            float[] c,
            int cOff,
            int ldc) {
        int row0 = cOff;
        int row1 = cOff + ldc;
        int row2 = cOff + 2 * ldc;
        int row3 = cOff + 3 * ldc;
        int row4 = cOff + 4 * ldc;
        int row5 = cOff + 5 * ldc;
        FloatVector c00 = FloatVector.zero(F);
        FloatVector c01 = FloatVector.zero(F);
        FloatVector c02 = FloatVector.zero(F);
        FloatVector c03 = FloatVector.zero(F);
        FloatVector c10 = FloatVector.zero(F);
        FloatVector c11 = FloatVector.zero(F);
        FloatVector c12 = FloatVector.zero(F);
        FloatVector c13 = FloatVector.zero(F);
        FloatVector c20 = FloatVector.zero(F);
        FloatVector c21 = FloatVector.zero(F);
        FloatVector c22 = FloatVector.zero(F);
        FloatVector c23 = FloatVector.zero(F);
        FloatVector c30 = FloatVector.zero(F);
        FloatVector c31 = FloatVector.zero(F);
        FloatVector c32 = FloatVector.zero(F);
        FloatVector c33 = FloatVector.zero(F);
        FloatVector c40 = FloatVector.zero(F);
        FloatVector c41 = FloatVector.zero(F);
        FloatVector c42 = FloatVector.zero(F);
        FloatVector c43 = FloatVector.zero(F);
        FloatVector c50 = FloatVector.zero(F);
        FloatVector c51 = FloatVector.zero(F);
        FloatVector c52 = FloatVector.zero(F);
        FloatVector c53 = FloatVector.zero(F);
        int a0 = aOff;
        int a1 = aOff + rowStride;
        int a2 = aOff + 2 * rowStride;
        int a3 = aOff + 3 * rowStride;
        int a4 = aOff + 4 * rowStride;
        int a5 = aOff + 5 * rowStride;
        int j = bOff;
        for (int p = 0; p < k; p++) {
            FloatVector b0 = FloatVector.fromArray(F, b, j);
            FloatVector b1 = FloatVector.fromArray(F, b, j + V);
            FloatVector b2 = FloatVector.fromArray(F, b, j + 2 * V);
            FloatVector b3 = FloatVector.fromArray(F, b, j + 3 * V);
            FloatVector x = FloatVector.broadcast(F, a[a0 + p]);
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            c02 = x.fma(b2, c02);
            c03 = x.fma(b3, c03);
            x = FloatVector.broadcast(F, a[a1 + p]);
            c10 = x.fma(b0, c10);
            c11 = x.fma(b1, c11);
            c12 = x.fma(b2, c12);
            c13 = x.fma(b3, c13);
            x = FloatVector.broadcast(F, a[a2 + p]);
            c20 = x.fma(b0, c20);
            c21 = x.fma(b1, c21);
            c22 = x.fma(b2, c22);
            c23 = x.fma(b3, c23);
            x = FloatVector.broadcast(F, a[a3 + p]);
            c30 = x.fma(b0, c30);
            c31 = x.fma(b1, c31);
            c32 = x.fma(b2, c32);
            c33 = x.fma(b3, c33);
            x = FloatVector.broadcast(F, a[a4 + p]);
            c40 = x.fma(b0, c40);
            c41 = x.fma(b1, c41);
            c42 = x.fma(b2, c42);
            c43 = x.fma(b3, c43);
            x = FloatVector.broadcast(F, a[a5 + p]);
            c50 = x.fma(b0, c50);
            c51 = x.fma(b1, c51);
            c52 = x.fma(b2, c52);
            c53 = x.fma(b3, c53);
            j += ldb;
        }
        c00.intoArray(c, row0);
        c01.intoArray(c, row0 + V);
        c02.intoArray(c, row0 + 2 * V);
        c03.intoArray(c, row0 + 3 * V);
        c10.intoArray(c, row1);
        c11.intoArray(c, row1 + V);
        c12.intoArray(c, row1 + 2 * V);
        c13.intoArray(c, row1 + 3 * V);
        c20.intoArray(c, row2);
        c21.intoArray(c, row2 + V);
        c22.intoArray(c, row2 + 2 * V);
        c23.intoArray(c, row2 + 3 * V);
        c30.intoArray(c, row3);
        c31.intoArray(c, row3 + V);
        c32.intoArray(c, row3 + 2 * V);
        c33.intoArray(c, row3 + 3 * V);
        c40.intoArray(c, row4);
        c41.intoArray(c, row4 + V);
        c42.intoArray(c, row4 + 2 * V);
        c43.intoArray(c, row4 + 3 * V);
        c50.intoArray(c, row5);
        c51.intoArray(c, row5 + V);
        c52.intoArray(c, row5 + 2 * V);
        c53.intoArray(c, row5 + 3 * V);
    }

    /// Computes six rows of 4 vectors; A's elements are [TileProduct#PITCH] apart along k.
    static void rows(
            int k,
            float[] a,
            int aOff,
            int rowStride,
            float[] b,
            int bOff,
            int ldb,
            float[] c,
            int cOff,
            int ldc) {
        int row0 = cOff;
        int row1 = cOff + ldc;
        int row2 = cOff + 2 * ldc;
        int row3 = cOff + 3 * ldc;
        int row4 = cOff + 4 * ldc;
        int row5 = cOff + 5 * ldc;
        FloatVector c00 = FloatVector.zero(F);
        FloatVector c01 = FloatVector.zero(F);
        FloatVector c02 = FloatVector.zero(F);
        FloatVector c03 = FloatVector.zero(F);
        FloatVector c10 = FloatVector.zero(F);
        FloatVector c11 = FloatVector.zero(F);
        FloatVector c12 = FloatVector.zero(F);
        FloatVector c13 = FloatVector.zero(F);
        FloatVector c20 = FloatVector.zero(F);
        FloatVector c21 = FloatVector.zero(F);
        FloatVector c22 = FloatVector.zero(F);
        FloatVector c23 = FloatVector.zero(F);
        FloatVector c30 = FloatVector.zero(F);
        FloatVector c31 = FloatVector.zero(F);
        FloatVector c32 = FloatVector.zero(F);
        FloatVector c33 = FloatVector.zero(F);
        FloatVector c40 = FloatVector.zero(F);
        FloatVector c41 = FloatVector.zero(F);
        FloatVector c42 = FloatVector.zero(F);
        FloatVector c43 = FloatVector.zero(F);
        FloatVector c50 = FloatVector.zero(F);
        FloatVector c51 = FloatVector.zero(F);
        FloatVector c52 = FloatVector.zero(F);
        FloatVector c53 = FloatVector.zero(F);
        int a0 = aOff;
        int a1 = aOff + rowStride;
        int a2 = aOff + 2 * rowStride;
        int a3 = aOff + 3 * rowStride;
        int a4 = aOff + 4 * rowStride;
        int a5 = aOff + 5 * rowStride;
        int j = bOff;
        for (int p = 0; p < k; p++) {
            FloatVector b0 = FloatVector.fromArray(F, b, j);
            FloatVector b1 = FloatVector.fromArray(F, b, j + V);
            FloatVector b2 = FloatVector.fromArray(F, b, j + 2 * V);
            FloatVector b3 = FloatVector.fromArray(F, b, j + 3 * V);
            FloatVector x = FloatVector.broadcast(F, a[a0 + PITCH * p]);
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            c02 = x.fma(b2, c02);
            c03 = x.fma(b3, c03);
            x = FloatVector.broadcast(F, a[a1 + PITCH * p]);
            c10 = x.fma(b0, c10);
            c11 = x.fma(b1, c11);
            c12 = x.fma(b2, c12);
            c13 = x.fma(b3, c13);
            x = FloatVector.broadcast(F, a[a2 + PITCH * p]);
            c20 = x.fma(b0, c20);
            c21 = x.fma(b1, c21);
            c22 = x.fma(b2, c22);
            c23 = x.fma(b3, c23);
            x = FloatVector.broadcast(F, a[a3 + PITCH * p]);
            c30 = x.fma(b0, c30);
            c31 = x.fma(b1, c31);
            c32 = x.fma(b2, c32);
            c33 = x.fma(b3, c33);
            x = FloatVector.broadcast(F, a[a4 + PITCH * p]);
            c40 = x.fma(b0, c40);
            c41 = x.fma(b1, c41);
            c42 = x.fma(b2, c42);
            c43 = x.fma(b3, c43);
            x = FloatVector.broadcast(F, a[a5 + PITCH * p]);
            c50 = x.fma(b0, c50);
            c51 = x.fma(b1, c51);
            c52 = x.fma(b2, c52);
            c53 = x.fma(b3, c53);
            j += ldb;
        }
        c00.intoArray(c, row0);
        c01.intoArray(c, row0 + V);
        c02.intoArray(c, row0 + 2 * V);
        c03.intoArray(c, row0 + 3 * V);
        c10.intoArray(c, row1);
        c11.intoArray(c, row1 + V);
        c12.intoArray(c, row1 + 2 * V);
        c13.intoArray(c, row1 + 3 * V);
        c20.intoArray(c, row2);
        c21.intoArray(c, row2 + V);
        c22.intoArray(c, row2 + 2 * V);
        c23.intoArray(c, row2 + 3 * V);
        c30.intoArray(c, row3);
        c31.intoArray(c, row3 + V);
        c32.intoArray(c, row3 + 2 * V);
        c33.intoArray(c, row3 + 3 * V);
        c40.intoArray(c, row4);
        c41.intoArray(c, row4 + V);
        c42.intoArray(c, row4 + 2 * V);
        c43.intoArray(c, row4 + 3 * V);
        c50.intoArray(c, row5);
        c51.intoArray(c, row5 + V);
        c52.intoArray(c, row5 + 2 * V);
        c53.intoArray(c, row5 + 3 * V);
    }
}
