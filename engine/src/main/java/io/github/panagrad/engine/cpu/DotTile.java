package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/// Dot products of a few rows with four rows at a time, for products of few rows: nothing is
/// packed, every element is loaded from where it lies and used for as many products as there are
/// registers for.
///
/// All offsets are given one by one, so that a caller with fewer rows than the tile repeats one.
final class DotTile {
    private DotTile() {}

    /// Computes 1 row by 4: out[4·i + j] = x row i · w row j.
    static void dot1x4(
            int k, float[] x, int x0, float[] w, int w0, int w1, int w2, int w3, float[] out) {
        FloatVector s00 = FloatVector.zero(F);
        FloatVector s01 = FloatVector.zero(F);
        FloatVector s02 = FloatVector.zero(F);
        FloatVector s03 = FloatVector.zero(F);
        int p = 0;
        for (; p <= k - V; p += V) {
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
        if (p < k) {
            VectorMask<Float> rest = F.indexInRange(p, k);
            FloatVector v0 = FloatVector.fromArray(F, x, x0 + p, rest);
            FloatVector u = FloatVector.fromArray(F, w, w0 + p, rest);
            s00 = v0.fma(u, s00);
            u = FloatVector.fromArray(F, w, w1 + p, rest);
            s01 = v0.fma(u, s01);
            u = FloatVector.fromArray(F, w, w2 + p, rest);
            s02 = v0.fma(u, s02);
            u = FloatVector.fromArray(F, w, w3 + p, rest);
            s03 = v0.fma(u, s03);
        }
        Lanes.sums(s00, s01, s02, s03).intoArray(out, 0);
    }

    /// Computes 2 rows by 4: out[4·i + j] = x row i · w row j.
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
            float[] out) {
        FloatVector s00 = FloatVector.zero(F);
        FloatVector s01 = FloatVector.zero(F);
        FloatVector s02 = FloatVector.zero(F);
        FloatVector s03 = FloatVector.zero(F);
        FloatVector s10 = FloatVector.zero(F);
        FloatVector s11 = FloatVector.zero(F);
        FloatVector s12 = FloatVector.zero(F);
        FloatVector s13 = FloatVector.zero(F);
        int p = 0;
        for (; p <= k - V; p += V) {
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
        if (p < k) {
            VectorMask<Float> rest = F.indexInRange(p, k);
            FloatVector v0 = FloatVector.fromArray(F, x, x0 + p, rest);
            FloatVector v1 = FloatVector.fromArray(F, x, x1 + p, rest);
            FloatVector u = FloatVector.fromArray(F, w, w0 + p, rest);
            s00 = v0.fma(u, s00);
            s10 = v1.fma(u, s10);
            u = FloatVector.fromArray(F, w, w1 + p, rest);
            s01 = v0.fma(u, s01);
            s11 = v1.fma(u, s11);
            u = FloatVector.fromArray(F, w, w2 + p, rest);
            s02 = v0.fma(u, s02);
            s12 = v1.fma(u, s12);
            u = FloatVector.fromArray(F, w, w3 + p, rest);
            s03 = v0.fma(u, s03);
            s13 = v1.fma(u, s13);
        }
        Lanes.sums(s00, s01, s02, s03).intoArray(out, 0);
        Lanes.sums(s10, s11, s12, s13).intoArray(out, 4);
    }

    /// Computes 4 rows by 4: out[4·i + j] = x row i · w row j.
    static void dot4x4(
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
            float[] out) {
        FloatVector s00 = FloatVector.zero(F);
        FloatVector s01 = FloatVector.zero(F);
        FloatVector s02 = FloatVector.zero(F);
        FloatVector s03 = FloatVector.zero(F);
        FloatVector s10 = FloatVector.zero(F);
        FloatVector s11 = FloatVector.zero(F);
        FloatVector s12 = FloatVector.zero(F);
        FloatVector s13 = FloatVector.zero(F);
        FloatVector s20 = FloatVector.zero(F);
        FloatVector s21 = FloatVector.zero(F);
        FloatVector s22 = FloatVector.zero(F);
        FloatVector s23 = FloatVector.zero(F);
        FloatVector s30 = FloatVector.zero(F);
        FloatVector s31 = FloatVector.zero(F);
        FloatVector s32 = FloatVector.zero(F);
        FloatVector s33 = FloatVector.zero(F);
        int p = 0;
        for (; p <= k - V; p += V) {
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
        }
        if (p < k) {
            VectorMask<Float> rest = F.indexInRange(p, k);
            FloatVector v0 = FloatVector.fromArray(F, x, x0 + p, rest);
            FloatVector v1 = FloatVector.fromArray(F, x, x1 + p, rest);
            FloatVector v2 = FloatVector.fromArray(F, x, x2 + p, rest);
            FloatVector v3 = FloatVector.fromArray(F, x, x3 + p, rest);
            FloatVector u = FloatVector.fromArray(F, w, w0 + p, rest);
            s00 = v0.fma(u, s00);
            s10 = v1.fma(u, s10);
            s20 = v2.fma(u, s20);
            s30 = v3.fma(u, s30);
            u = FloatVector.fromArray(F, w, w1 + p, rest);
            s01 = v0.fma(u, s01);
            s11 = v1.fma(u, s11);
            s21 = v2.fma(u, s21);
            s31 = v3.fma(u, s31);
            u = FloatVector.fromArray(F, w, w2 + p, rest);
            s02 = v0.fma(u, s02);
            s12 = v1.fma(u, s12);
            s22 = v2.fma(u, s22);
            s32 = v3.fma(u, s32);
            u = FloatVector.fromArray(F, w, w3 + p, rest);
            s03 = v0.fma(u, s03);
            s13 = v1.fma(u, s13);
            s23 = v2.fma(u, s23);
            s33 = v3.fma(u, s33);
        }
        Lanes.sums(s00, s01, s02, s03).intoArray(out, 0);
        Lanes.sums(s10, s11, s12, s13).intoArray(out, 4);
        Lanes.sums(s20, s21, s22, s23).intoArray(out, 8);
        Lanes.sums(s30, s31, s32, s33).intoArray(out, 12);
    }
}
