package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/// Adds multiples of rows of B to few rows of C, for products of few rows with a B that is
/// contiguous along the columns: B is read once, front to back, and not packed.
final class AxpyTile {
    private AxpyTile() {}

    /// Computes C [4, n] += X [4, 4] · B [4, n].
    ///
    /// @param x the factors; those of a row of C are `ldx` after those of the row before
    static void rows4(
            int n,
            float[] x,
            int xo,
            int ldx,
            float[] b,
            int bo,
            int ldb,
            float[] c,
            int co,
            int ldc) {
        int j = 0;
        for (; j <= n - V; j += V) {
            FloatVector b0 = FloatVector.fromArray(F, b, bo + j);
            FloatVector b1 = FloatVector.fromArray(F, b, bo + ldb + j);
            FloatVector b2 = FloatVector.fromArray(F, b, bo + 2 * ldb + j);
            FloatVector b3 = FloatVector.fromArray(F, b, bo + 3 * ldb + j);
            for (int i = 0; i < 4; i++) {
                int xi = xo + i * ldx;
                int ci = co + i * ldc + j;
                combine(x, xi, b0, b1, b2, b3, FloatVector.fromArray(F, c, ci)).intoArray(c, ci);
            }
        }
        if (j < n) {
            VectorMask<Float> rest = F.indexInRange(j, n);
            FloatVector b0 = FloatVector.fromArray(F, b, bo + j, rest);
            FloatVector b1 = FloatVector.fromArray(F, b, bo + ldb + j, rest);
            FloatVector b2 = FloatVector.fromArray(F, b, bo + 2 * ldb + j, rest);
            FloatVector b3 = FloatVector.fromArray(F, b, bo + 3 * ldb + j, rest);
            for (int i = 0; i < 4; i++) {
                int xi = xo + i * ldx;
                int ci = co + i * ldc + j;
                FloatVector sum = FloatVector.fromArray(F, c, ci, rest);
                combine(x, xi, b0, b1, b2, b3, sum).intoArray(c, ci, rest);
            }
        }
    }

    /// Computes c [n] += x [4] · B [4, n].
    static void row1(int n, float[] x, int xo, float[] b, int bo, int ldb, float[] c, int co) {
        int j = 0;
        for (; j <= n - V; j += V) {
            FloatVector b0 = FloatVector.fromArray(F, b, bo + j);
            FloatVector b1 = FloatVector.fromArray(F, b, bo + ldb + j);
            FloatVector b2 = FloatVector.fromArray(F, b, bo + 2 * ldb + j);
            FloatVector b3 = FloatVector.fromArray(F, b, bo + 3 * ldb + j);
            FloatVector sum = FloatVector.fromArray(F, c, co + j);
            combine(x, xo, b0, b1, b2, b3, sum).intoArray(c, co + j);
        }
        if (j < n) {
            VectorMask<Float> rest = F.indexInRange(j, n);
            FloatVector b0 = FloatVector.fromArray(F, b, bo + j, rest);
            FloatVector b1 = FloatVector.fromArray(F, b, bo + ldb + j, rest);
            FloatVector b2 = FloatVector.fromArray(F, b, bo + 2 * ldb + j, rest);
            FloatVector b3 = FloatVector.fromArray(F, b, bo + 3 * ldb + j, rest);
            FloatVector sum = FloatVector.fromArray(F, c, co + j, rest);
            combine(x, xo, b0, b1, b2, b3, sum).intoArray(c, co + j, rest);
        }
    }

    private static FloatVector combine(
            float[] x,
            int xo,
            FloatVector b0,
            FloatVector b1,
            FloatVector b2,
            FloatVector b3,
            FloatVector sum) {
        sum = b0.fma(FloatVector.broadcast(F, x[xo]), sum);
        sum = b1.fma(FloatVector.broadcast(F, x[xo + 1]), sum);
        sum = b2.fma(FloatVector.broadcast(F, x[xo + 2]), sum);
        return b3.fma(FloatVector.broadcast(F, x[xo + 3]), sum);
    }

    /// Computes c [n] += x · b [n].
    static void single(int n, float x, float[] b, int bo, float[] c, int co) {
        FloatVector factor = FloatVector.broadcast(F, x);
        int j = 0;
        for (; j <= n - V; j += V) {
            FloatVector sum = FloatVector.fromArray(F, c, co + j);
            FloatVector.fromArray(F, b, bo + j).fma(factor, sum).intoArray(c, co + j);
        }
        if (j < n) {
            VectorMask<Float> rest = F.indexInRange(j, n);
            FloatVector sum = FloatVector.fromArray(F, c, co + j, rest);
            FloatVector.fromArray(F, b, bo + j, rest).fma(factor, sum).intoArray(c, co + j, rest);
        }
    }
}
