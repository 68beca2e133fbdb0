package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;

import jdk.incubator.vector.FloatVector;

/// The micro-kernels for few rows: a strip of C, as long as the inner dimension lasts, from a B that is
/// read where it lies.
///
/// They are the packed kernels but for `ldb`: a step reads a few whole cache lines of a row of B, and rows
/// may be far apart. Sums stay in registers for all of k, where adding multiples of rows of B to C would load
/// and store them for every few steps. The 24 sums of the wide ones fill 32 registers with B and one factor at a
/// time; with 16 registers only 4 by 2 and 1 by 8 fit.
///
/// A is a panel, [kc, rows]; what C held is overwritten.
final class StripTile {
    private StripTile() {}

    /// One row by 8 vectors.
    static void rows1x8(
            int kc, float[] a, int ao, float[] b, int bo, int ldb, float[] c, int co, int ldc) {
        FloatVector c00 = FloatVector.zero(F);
        FloatVector c01 = FloatVector.zero(F);
        FloatVector c02 = FloatVector.zero(F);
        FloatVector c03 = FloatVector.zero(F);
        FloatVector c04 = FloatVector.zero(F);
        FloatVector c05 = FloatVector.zero(F);
        FloatVector c06 = FloatVector.zero(F);
        FloatVector c07 = FloatVector.zero(F);
        for (int p = 0; p < kc; p++) {
            FloatVector x = FloatVector.broadcast(F, a[ao]);
            c00 = FloatVector.fromArray(F, b, bo).fma(x, c00);
            c01 = FloatVector.fromArray(F, b, bo + V).fma(x, c01);
            c02 = FloatVector.fromArray(F, b, bo + 2 * V).fma(x, c02);
            c03 = FloatVector.fromArray(F, b, bo + 3 * V).fma(x, c03);
            c04 = FloatVector.fromArray(F, b, bo + 4 * V).fma(x, c04);
            c05 = FloatVector.fromArray(F, b, bo + 5 * V).fma(x, c05);
            c06 = FloatVector.fromArray(F, b, bo + 6 * V).fma(x, c06);
            c07 = FloatVector.fromArray(F, b, bo + 7 * V).fma(x, c07);
            ao++;
            bo += ldb;
        }
        c00.intoArray(c, co);
        c01.intoArray(c, co + V);
        c02.intoArray(c, co + 2 * V);
        c03.intoArray(c, co + 3 * V);
        c04.intoArray(c, co + 4 * V);
        c05.intoArray(c, co + 5 * V);
        c06.intoArray(c, co + 6 * V);
        c07.intoArray(c, co + 7 * V);
    }

    /// Four rows by 2 vectors.
    static void rows4x2(
            int kc, float[] a, int ao, float[] b, int bo, int ldb, float[] c, int co, int ldc) {
        FloatVector c00 = FloatVector.zero(F);
        FloatVector c01 = FloatVector.zero(F);
        FloatVector c10 = FloatVector.zero(F);
        FloatVector c11 = FloatVector.zero(F);
        FloatVector c20 = FloatVector.zero(F);
        FloatVector c21 = FloatVector.zero(F);
        FloatVector c30 = FloatVector.zero(F);
        FloatVector c31 = FloatVector.zero(F);
        for (int p = 0; p < kc; p++) {
            FloatVector b0 = FloatVector.fromArray(F, b, bo);
            FloatVector b1 = FloatVector.fromArray(F, b, bo + V);
            FloatVector x = FloatVector.broadcast(F, a[ao]);
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            x = FloatVector.broadcast(F, a[ao + 1]);
            c10 = x.fma(b0, c10);
            c11 = x.fma(b1, c11);
            x = FloatVector.broadcast(F, a[ao + 2]);
            c20 = x.fma(b0, c20);
            c21 = x.fma(b1, c21);
            x = FloatVector.broadcast(F, a[ao + 3]);
            c30 = x.fma(b0, c30);
            c31 = x.fma(b1, c31);
            ao += 4;
            bo += ldb;
        }
        c00.intoArray(c, co);
        c01.intoArray(c, co + V);
        c10.intoArray(c, co + ldc);
        c11.intoArray(c, co + ldc + V);
        c20.intoArray(c, co + 2 * ldc);
        c21.intoArray(c, co + 2 * ldc + V);
        c30.intoArray(c, co + 3 * ldc);
        c31.intoArray(c, co + 3 * ldc + V);
    }

    /// Four rows by 6 vectors.
    static void rows4x6(
            int kc, float[] a, int ao, float[] b, int bo, int ldb, float[] c, int co, int ldc) {
        FloatVector c00 = FloatVector.zero(F);
        FloatVector c01 = FloatVector.zero(F);
        FloatVector c02 = FloatVector.zero(F);
        FloatVector c03 = FloatVector.zero(F);
        FloatVector c04 = FloatVector.zero(F);
        FloatVector c05 = FloatVector.zero(F);
        FloatVector c10 = FloatVector.zero(F);
        FloatVector c11 = FloatVector.zero(F);
        FloatVector c12 = FloatVector.zero(F);
        FloatVector c13 = FloatVector.zero(F);
        FloatVector c14 = FloatVector.zero(F);
        FloatVector c15 = FloatVector.zero(F);
        FloatVector c20 = FloatVector.zero(F);
        FloatVector c21 = FloatVector.zero(F);
        FloatVector c22 = FloatVector.zero(F);
        FloatVector c23 = FloatVector.zero(F);
        FloatVector c24 = FloatVector.zero(F);
        FloatVector c25 = FloatVector.zero(F);
        FloatVector c30 = FloatVector.zero(F);
        FloatVector c31 = FloatVector.zero(F);
        FloatVector c32 = FloatVector.zero(F);
        FloatVector c33 = FloatVector.zero(F);
        FloatVector c34 = FloatVector.zero(F);
        FloatVector c35 = FloatVector.zero(F);
        for (int p = 0; p < kc; p++) {
            FloatVector b0 = FloatVector.fromArray(F, b, bo);
            FloatVector b1 = FloatVector.fromArray(F, b, bo + V);
            FloatVector b2 = FloatVector.fromArray(F, b, bo + 2 * V);
            FloatVector b3 = FloatVector.fromArray(F, b, bo + 3 * V);
            FloatVector b4 = FloatVector.fromArray(F, b, bo + 4 * V);
            FloatVector b5 = FloatVector.fromArray(F, b, bo + 5 * V);
            FloatVector x = FloatVector.broadcast(F, a[ao]);
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            c02 = x.fma(b2, c02);
            c03 = x.fma(b3, c03);
            c04 = x.fma(b4, c04);
            c05 = x.fma(b5, c05);
            x = FloatVector.broadcast(F, a[ao + 1]);
            c10 = x.fma(b0, c10);
            c11 = x.fma(b1, c11);
            c12 = x.fma(b2, c12);
            c13 = x.fma(b3, c13);
            c14 = x.fma(b4, c14);
            c15 = x.fma(b5, c15);
            x = FloatVector.broadcast(F, a[ao + 2]);
            c20 = x.fma(b0, c20);
            c21 = x.fma(b1, c21);
            c22 = x.fma(b2, c22);
            c23 = x.fma(b3, c23);
            c24 = x.fma(b4, c24);
            c25 = x.fma(b5, c25);
            x = FloatVector.broadcast(F, a[ao + 3]);
            c30 = x.fma(b0, c30);
            c31 = x.fma(b1, c31);
            c32 = x.fma(b2, c32);
            c33 = x.fma(b3, c33);
            c34 = x.fma(b4, c34);
            c35 = x.fma(b5, c35);
            ao += 4;
            bo += ldb;
        }
        c00.intoArray(c, co);
        c01.intoArray(c, co + V);
        c02.intoArray(c, co + 2 * V);
        c03.intoArray(c, co + 3 * V);
        c04.intoArray(c, co + 4 * V);
        c05.intoArray(c, co + 5 * V);
        c10.intoArray(c, co + ldc);
        c11.intoArray(c, co + ldc + V);
        c12.intoArray(c, co + ldc + 2 * V);
        c13.intoArray(c, co + ldc + 3 * V);
        c14.intoArray(c, co + ldc + 4 * V);
        c15.intoArray(c, co + ldc + 5 * V);
        c20.intoArray(c, co + 2 * ldc);
        c21.intoArray(c, co + 2 * ldc + V);
        c22.intoArray(c, co + 2 * ldc + 2 * V);
        c23.intoArray(c, co + 2 * ldc + 3 * V);
        c24.intoArray(c, co + 2 * ldc + 4 * V);
        c25.intoArray(c, co + 2 * ldc + 5 * V);
        c30.intoArray(c, co + 3 * ldc);
        c31.intoArray(c, co + 3 * ldc + V);
        c32.intoArray(c, co + 3 * ldc + 2 * V);
        c33.intoArray(c, co + 3 * ldc + 3 * V);
        c34.intoArray(c, co + 3 * ldc + 4 * V);
        c35.intoArray(c, co + 3 * ldc + 5 * V);
    }

    /// Eight rows by 3 vectors.
    static void rows8x3(
            int kc, float[] a, int ao, float[] b, int bo, int ldb, float[] c, int co, int ldc) {
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
        for (int p = 0; p < kc; p++) {
            FloatVector b0 = FloatVector.fromArray(F, b, bo);
            FloatVector b1 = FloatVector.fromArray(F, b, bo + V);
            FloatVector b2 = FloatVector.fromArray(F, b, bo + 2 * V);
            FloatVector x = FloatVector.broadcast(F, a[ao]);
            c00 = x.fma(b0, c00);
            c01 = x.fma(b1, c01);
            c02 = x.fma(b2, c02);
            x = FloatVector.broadcast(F, a[ao + 1]);
            c10 = x.fma(b0, c10);
            c11 = x.fma(b1, c11);
            c12 = x.fma(b2, c12);
            x = FloatVector.broadcast(F, a[ao + 2]);
            c20 = x.fma(b0, c20);
            c21 = x.fma(b1, c21);
            c22 = x.fma(b2, c22);
            x = FloatVector.broadcast(F, a[ao + 3]);
            c30 = x.fma(b0, c30);
            c31 = x.fma(b1, c31);
            c32 = x.fma(b2, c32);
            x = FloatVector.broadcast(F, a[ao + 4]);
            c40 = x.fma(b0, c40);
            c41 = x.fma(b1, c41);
            c42 = x.fma(b2, c42);
            x = FloatVector.broadcast(F, a[ao + 5]);
            c50 = x.fma(b0, c50);
            c51 = x.fma(b1, c51);
            c52 = x.fma(b2, c52);
            x = FloatVector.broadcast(F, a[ao + 6]);
            c60 = x.fma(b0, c60);
            c61 = x.fma(b1, c61);
            c62 = x.fma(b2, c62);
            x = FloatVector.broadcast(F, a[ao + 7]);
            c70 = x.fma(b0, c70);
            c71 = x.fma(b1, c71);
            c72 = x.fma(b2, c72);
            ao += 8;
            bo += ldb;
        }
        c00.intoArray(c, co);
        c01.intoArray(c, co + V);
        c02.intoArray(c, co + 2 * V);
        c10.intoArray(c, co + ldc);
        c11.intoArray(c, co + ldc + V);
        c12.intoArray(c, co + ldc + 2 * V);
        c20.intoArray(c, co + 2 * ldc);
        c21.intoArray(c, co + 2 * ldc + V);
        c22.intoArray(c, co + 2 * ldc + 2 * V);
        c30.intoArray(c, co + 3 * ldc);
        c31.intoArray(c, co + 3 * ldc + V);
        c32.intoArray(c, co + 3 * ldc + 2 * V);
        c40.intoArray(c, co + 4 * ldc);
        c41.intoArray(c, co + 4 * ldc + V);
        c42.intoArray(c, co + 4 * ldc + 2 * V);
        c50.intoArray(c, co + 5 * ldc);
        c51.intoArray(c, co + 5 * ldc + V);
        c52.intoArray(c, co + 5 * ldc + 2 * V);
        c60.intoArray(c, co + 6 * ldc);
        c61.intoArray(c, co + 6 * ldc + V);
        c62.intoArray(c, co + 6 * ldc + 2 * V);
        c70.intoArray(c, co + 7 * ldc);
        c71.intoArray(c, co + 7 * ldc + V);
        c72.intoArray(c, co + 7 * ldc + 2 * V);
    }
}
