package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.BY_4;
import static io.github.panagrad.engine.cpu.Lanes.BY_8;
import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static io.github.panagrad.engine.cpu.Lanes.ZIP_HI;
import static io.github.panagrad.engine.cpu.Lanes.ZIP_LO;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/// Dot products of a few rows with four or six rows at a time, for products of few rows: nothing is
/// packed, every element is loaded from where it lies and used for as many products as there are
/// registers for: 4 by 6 with 32 of them (sums, four vectors of x and one of w), 2 by 4 with 16.
///
/// Here k is a multiple of V. The rest is the caller's: with masked loads in it C1 refuses a kernel
/// (out of virtual registers), and under load a method that C1 refused can wait for C2 forever.
/// All offsets are given one by one, so that a caller with fewer rows than the tile repeats one. The
/// lanes are added by [#sums], apart: inlined into the kernel that exceeds C2's limit of nodes, and the
/// accumulators go through memory.
final class DotTile {
    private static final VectorMask<Float> FOUR = Lanes.first(4);

    private DotTile() {}

    /// Computes 1 row by 4: the lanes of x row i · w row j `at` + (4·i + j)·V.
    static void dot1x4(
            int k,
            float[] x,
            int x0,
            float[] w,
            int w0,
            int w1,
            int w2,
            int w3,
            float[] lanes,
            int at) {
        FloatVector s00 = FloatVector.zero(F);
        FloatVector s01 = FloatVector.zero(F);
        FloatVector s02 = FloatVector.zero(F);
        FloatVector s03 = FloatVector.zero(F);
        for (int p = 0; p < k; p += V) {
            FloatVector v0 = FloatVector.fromArray(F, x, x0 + p);
            FloatVector u = FloatVector.fromArray(F, w, w0 + p);
            s00 = v0.fma(u, s00);
            u = FloatVector.fromArray(F, w, w1 + p);
            s01 = v0.fma(u, s01);
            u = FloatVector.fromArray(F, w, w2 + p);
            s02 = v0.fma(u, s02);
            u = FloatVector.fromArray(F, w, w3 + p);
            s03 = v0.fma(u, s03);
        }
        s00.intoArray(lanes, at);
        s01.intoArray(lanes, at + V);
        s02.intoArray(lanes, at + 2 * V);
        s03.intoArray(lanes, at + 3 * V);
    }

    /// Computes 2 rows by 4: the lanes of x row i · w row j `at` + (4·i + j)·V.
    static void dot2x4(
            int k,
            float[] x,
            int x0,
            int x1,
            float[] w,
            int w0,
            int w1,
            int w2,
            int w3,
            float[] lanes,
            int at) {
        FloatVector s00 = FloatVector.zero(F);
        FloatVector s01 = FloatVector.zero(F);
        FloatVector s02 = FloatVector.zero(F);
        FloatVector s03 = FloatVector.zero(F);
        FloatVector s10 = FloatVector.zero(F);
        FloatVector s11 = FloatVector.zero(F);
        FloatVector s12 = FloatVector.zero(F);
        FloatVector s13 = FloatVector.zero(F);
        for (int p = 0; p < k; p += V) {
            FloatVector v0 = FloatVector.fromArray(F, x, x0 + p);
            FloatVector v1 = FloatVector.fromArray(F, x, x1 + p);
            FloatVector u = FloatVector.fromArray(F, w, w0 + p);
            s00 = v0.fma(u, s00);
            s10 = v1.fma(u, s10);
            u = FloatVector.fromArray(F, w, w1 + p);
            s01 = v0.fma(u, s01);
            s11 = v1.fma(u, s11);
            u = FloatVector.fromArray(F, w, w2 + p);
            s02 = v0.fma(u, s02);
            s12 = v1.fma(u, s12);
            u = FloatVector.fromArray(F, w, w3 + p);
            s03 = v0.fma(u, s03);
            s13 = v1.fma(u, s13);
        }
        s00.intoArray(lanes, at);
        s01.intoArray(lanes, at + V);
        s02.intoArray(lanes, at + 2 * V);
        s03.intoArray(lanes, at + 3 * V);
        s10.intoArray(lanes, at + 4 * V);
        s11.intoArray(lanes, at + 5 * V);
        s12.intoArray(lanes, at + 6 * V);
        s13.intoArray(lanes, at + 7 * V);
    }

    /// Computes 1 row by 6: the lanes of x row i · w row j `at` + (6·i + j)·V.
    static void dot1x6(
            int k,
            float[] x,
            int x0,
            float[] w,
            int w0,
            int w1,
            int w2,
            int w3,
            int w4,
            int w5,
            float[] lanes,
            int at) {
        FloatVector s00 = FloatVector.zero(F);
        FloatVector s01 = FloatVector.zero(F);
        FloatVector s02 = FloatVector.zero(F);
        FloatVector s03 = FloatVector.zero(F);
        FloatVector s04 = FloatVector.zero(F);
        FloatVector s05 = FloatVector.zero(F);
        for (int p = 0; p < k; p += V) {
            FloatVector v0 = FloatVector.fromArray(F, x, x0 + p);
            FloatVector u = FloatVector.fromArray(F, w, w0 + p);
            s00 = v0.fma(u, s00);
            u = FloatVector.fromArray(F, w, w1 + p);
            s01 = v0.fma(u, s01);
            u = FloatVector.fromArray(F, w, w2 + p);
            s02 = v0.fma(u, s02);
            u = FloatVector.fromArray(F, w, w3 + p);
            s03 = v0.fma(u, s03);
            u = FloatVector.fromArray(F, w, w4 + p);
            s04 = v0.fma(u, s04);
            u = FloatVector.fromArray(F, w, w5 + p);
            s05 = v0.fma(u, s05);
        }
        s00.intoArray(lanes, at);
        s01.intoArray(lanes, at + V);
        s02.intoArray(lanes, at + 2 * V);
        s03.intoArray(lanes, at + 3 * V);
        s04.intoArray(lanes, at + 4 * V);
        s05.intoArray(lanes, at + 5 * V);
    }

    /// Computes 2 rows by 6: the lanes of x row i · w row j `at` + (6·i + j)·V.
    static void dot2x6(
            int k,
            float[] x,
            int x0,
            int x1,
            float[] w,
            int w0,
            int w1,
            int w2,
            int w3,
            int w4,
            int w5,
            float[] lanes,
            int at) {
        FloatVector s00 = FloatVector.zero(F);
        FloatVector s01 = FloatVector.zero(F);
        FloatVector s02 = FloatVector.zero(F);
        FloatVector s03 = FloatVector.zero(F);
        FloatVector s04 = FloatVector.zero(F);
        FloatVector s05 = FloatVector.zero(F);
        FloatVector s10 = FloatVector.zero(F);
        FloatVector s11 = FloatVector.zero(F);
        FloatVector s12 = FloatVector.zero(F);
        FloatVector s13 = FloatVector.zero(F);
        FloatVector s14 = FloatVector.zero(F);
        FloatVector s15 = FloatVector.zero(F);
        for (int p = 0; p < k; p += V) {
            FloatVector v0 = FloatVector.fromArray(F, x, x0 + p);
            FloatVector v1 = FloatVector.fromArray(F, x, x1 + p);
            FloatVector u = FloatVector.fromArray(F, w, w0 + p);
            s00 = v0.fma(u, s00);
            s10 = v1.fma(u, s10);
            u = FloatVector.fromArray(F, w, w1 + p);
            s01 = v0.fma(u, s01);
            s11 = v1.fma(u, s11);
            u = FloatVector.fromArray(F, w, w2 + p);
            s02 = v0.fma(u, s02);
            s12 = v1.fma(u, s12);
            u = FloatVector.fromArray(F, w, w3 + p);
            s03 = v0.fma(u, s03);
            s13 = v1.fma(u, s13);
            u = FloatVector.fromArray(F, w, w4 + p);
            s04 = v0.fma(u, s04);
            s14 = v1.fma(u, s14);
            u = FloatVector.fromArray(F, w, w5 + p);
            s05 = v0.fma(u, s05);
            s15 = v1.fma(u, s15);
        }
        s00.intoArray(lanes, at);
        s01.intoArray(lanes, at + V);
        s02.intoArray(lanes, at + 2 * V);
        s03.intoArray(lanes, at + 3 * V);
        s04.intoArray(lanes, at + 4 * V);
        s05.intoArray(lanes, at + 5 * V);
        s10.intoArray(lanes, at + 6 * V);
        s11.intoArray(lanes, at + 7 * V);
        s12.intoArray(lanes, at + 8 * V);
        s13.intoArray(lanes, at + 9 * V);
        s14.intoArray(lanes, at + 10 * V);
        s15.intoArray(lanes, at + 11 * V);
    }

    /// Computes 4 rows by 6: the lanes of x row i · w row j `at` + (6·i + j)·V.
    static void dot4x6(
            int k,
            float[] x,
            int x0,
            int x1,
            int x2,
            int x3,
            float[] w,
            int w0,
            int w1,
            int w2,
            int w3,
            int w4,
            int w5,
            float[] lanes,
            int at) {
        FloatVector s00 = FloatVector.zero(F);
        FloatVector s01 = FloatVector.zero(F);
        FloatVector s02 = FloatVector.zero(F);
        FloatVector s03 = FloatVector.zero(F);
        FloatVector s04 = FloatVector.zero(F);
        FloatVector s05 = FloatVector.zero(F);
        FloatVector s10 = FloatVector.zero(F);
        FloatVector s11 = FloatVector.zero(F);
        FloatVector s12 = FloatVector.zero(F);
        FloatVector s13 = FloatVector.zero(F);
        FloatVector s14 = FloatVector.zero(F);
        FloatVector s15 = FloatVector.zero(F);
        FloatVector s20 = FloatVector.zero(F);
        FloatVector s21 = FloatVector.zero(F);
        FloatVector s22 = FloatVector.zero(F);
        FloatVector s23 = FloatVector.zero(F);
        FloatVector s24 = FloatVector.zero(F);
        FloatVector s25 = FloatVector.zero(F);
        FloatVector s30 = FloatVector.zero(F);
        FloatVector s31 = FloatVector.zero(F);
        FloatVector s32 = FloatVector.zero(F);
        FloatVector s33 = FloatVector.zero(F);
        FloatVector s34 = FloatVector.zero(F);
        FloatVector s35 = FloatVector.zero(F);
        for (int p = 0; p < k; p += V) {
            FloatVector v0 = FloatVector.fromArray(F, x, x0 + p);
            FloatVector v1 = FloatVector.fromArray(F, x, x1 + p);
            FloatVector v2 = FloatVector.fromArray(F, x, x2 + p);
            FloatVector v3 = FloatVector.fromArray(F, x, x3 + p);
            FloatVector u = FloatVector.fromArray(F, w, w0 + p);
            s00 = v0.fma(u, s00);
            s10 = v1.fma(u, s10);
            s20 = v2.fma(u, s20);
            s30 = v3.fma(u, s30);
            u = FloatVector.fromArray(F, w, w1 + p);
            s01 = v0.fma(u, s01);
            s11 = v1.fma(u, s11);
            s21 = v2.fma(u, s21);
            s31 = v3.fma(u, s31);
            u = FloatVector.fromArray(F, w, w2 + p);
            s02 = v0.fma(u, s02);
            s12 = v1.fma(u, s12);
            s22 = v2.fma(u, s22);
            s32 = v3.fma(u, s32);
            u = FloatVector.fromArray(F, w, w3 + p);
            s03 = v0.fma(u, s03);
            s13 = v1.fma(u, s13);
            s23 = v2.fma(u, s23);
            s33 = v3.fma(u, s33);
            u = FloatVector.fromArray(F, w, w4 + p);
            s04 = v0.fma(u, s04);
            s14 = v1.fma(u, s14);
            s24 = v2.fma(u, s24);
            s34 = v3.fma(u, s34);
            u = FloatVector.fromArray(F, w, w5 + p);
            s05 = v0.fma(u, s05);
            s15 = v1.fma(u, s15);
            s25 = v2.fma(u, s25);
            s35 = v3.fma(u, s35);
        }
        s00.intoArray(lanes, at);
        s01.intoArray(lanes, at + V);
        s02.intoArray(lanes, at + 2 * V);
        s03.intoArray(lanes, at + 3 * V);
        s04.intoArray(lanes, at + 4 * V);
        s05.intoArray(lanes, at + 5 * V);
        s10.intoArray(lanes, at + 6 * V);
        s11.intoArray(lanes, at + 7 * V);
        s12.intoArray(lanes, at + 8 * V);
        s13.intoArray(lanes, at + 9 * V);
        s14.intoArray(lanes, at + 10 * V);
        s15.intoArray(lanes, at + 11 * V);
        s20.intoArray(lanes, at + 12 * V);
        s21.intoArray(lanes, at + 13 * V);
        s22.intoArray(lanes, at + 14 * V);
        s23.intoArray(lanes, at + 15 * V);
        s24.intoArray(lanes, at + 16 * V);
        s25.intoArray(lanes, at + 17 * V);
        s30.intoArray(lanes, at + 18 * V);
        s31.intoArray(lanes, at + 19 * V);
        s32.intoArray(lanes, at + 20 * V);
        s33.intoArray(lanes, at + 21 * V);
        s34.intoArray(lanes, at + 22 * V);
        s35.intoArray(lanes, at + 23 * V);
    }

    /// Adds the lanes of up to four vectors that lie `apart` in `lanes`, and puts their sums side by
    /// side into `out`, or adds them to what is there.
    ///
    /// [Lanes#sums] is written out here: in half of the processes C2 compiled that method apart before
    /// it came to this one, called it, and boxed 24 vectors for every tile (ADR 035).
    static void sums(
            int count, float[] lanes, int from, int apart, float[] out, int at, boolean add) {
        FloatVector a = FloatVector.fromArray(F, lanes, from);
        FloatVector b = FloatVector.fromArray(F, lanes, from + Math.min(1, count - 1) * apart);
        FloatVector c = FloatVector.fromArray(F, lanes, from + Math.min(2, count - 1) * apart);
        FloatVector d = FloatVector.fromArray(F, lanes, from + (count - 1) * apart);
        FloatVector t = ZIP_LO.selectFrom(a, c).add(ZIP_HI.selectFrom(a, c));
        FloatVector u = ZIP_LO.selectFrom(b, d).add(ZIP_HI.selectFrom(b, d));
        t = ZIP_LO.selectFrom(t, u).add(ZIP_HI.selectFrom(t, u));
        if (V >= 16) {
            t = t.add(t.rearrange(BY_8));
        }
        if (V >= 8) {
            t = t.add(t.rearrange(BY_4));
        }
        VectorMask<Float> some = count == 4 ? FOUR : Lanes.first(count);
        if (add) {
            t = t.add(FloatVector.fromArray(F, out, at, some));
        }
        t.intoArray(out, at, some);
    }
}
