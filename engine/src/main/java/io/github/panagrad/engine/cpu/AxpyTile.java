package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;

import jdk.incubator.vector.FloatVector;

/// Adds multiples of rows of B to few rows of C, for products of few rows with a B that is
/// contiguous along the columns: B is read once, front to back, and not packed.
///
/// Here n is a multiple of V; the rest is the caller's, for the reason that [DotTile] names. The
/// factors are broadcast ahead of the loop, for C2 cannot: it does not know X and C apart.
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
        FloatVector x00 = FloatVector.broadcast(F, x[xo]);
        FloatVector x01 = FloatVector.broadcast(F, x[xo + 1]);
        FloatVector x02 = FloatVector.broadcast(F, x[xo + 2]);
        FloatVector x03 = FloatVector.broadcast(F, x[xo + 3]);
        FloatVector x10 = FloatVector.broadcast(F, x[xo + ldx]);
        FloatVector x11 = FloatVector.broadcast(F, x[xo + ldx + 1]);
        FloatVector x12 = FloatVector.broadcast(F, x[xo + ldx + 2]);
        FloatVector x13 = FloatVector.broadcast(F, x[xo + ldx + 3]);
        FloatVector x20 = FloatVector.broadcast(F, x[xo + 2 * ldx]);
        FloatVector x21 = FloatVector.broadcast(F, x[xo + 2 * ldx + 1]);
        FloatVector x22 = FloatVector.broadcast(F, x[xo + 2 * ldx + 2]);
        FloatVector x23 = FloatVector.broadcast(F, x[xo + 2 * ldx + 3]);
        FloatVector x30 = FloatVector.broadcast(F, x[xo + 3 * ldx]);
        FloatVector x31 = FloatVector.broadcast(F, x[xo + 3 * ldx + 1]);
        FloatVector x32 = FloatVector.broadcast(F, x[xo + 3 * ldx + 2]);
        FloatVector x33 = FloatVector.broadcast(F, x[xo + 3 * ldx + 3]);
        for (int j = 0; j < n; j += V) {
            FloatVector b0 = FloatVector.fromArray(F, b, bo + j);
            FloatVector b1 = FloatVector.fromArray(F, b, bo + ldb + j);
            FloatVector b2 = FloatVector.fromArray(F, b, bo + 2 * ldb + j);
            FloatVector b3 = FloatVector.fromArray(F, b, bo + 3 * ldb + j);
            FloatVector s = FloatVector.fromArray(F, c, co + j);
            s = b3.fma(x03, b2.fma(x02, b1.fma(x01, b0.fma(x00, s))));
            s.intoArray(c, co + j);
            s = FloatVector.fromArray(F, c, co + ldc + j);
            s = b3.fma(x13, b2.fma(x12, b1.fma(x11, b0.fma(x10, s))));
            s.intoArray(c, co + ldc + j);
            s = FloatVector.fromArray(F, c, co + 2 * ldc + j);
            s = b3.fma(x23, b2.fma(x22, b1.fma(x21, b0.fma(x20, s))));
            s.intoArray(c, co + 2 * ldc + j);
            s = FloatVector.fromArray(F, c, co + 3 * ldc + j);
            s = b3.fma(x33, b2.fma(x32, b1.fma(x31, b0.fma(x30, s))));
            s.intoArray(c, co + 3 * ldc + j);
        }
    }

    /// Computes c [n] += x [4] · B [4, n].
    static void row1(int n, float[] x, int xo, float[] b, int bo, int ldb, float[] c, int co) {
        FloatVector x00 = FloatVector.broadcast(F, x[xo]);
        FloatVector x01 = FloatVector.broadcast(F, x[xo + 1]);
        FloatVector x02 = FloatVector.broadcast(F, x[xo + 2]);
        FloatVector x03 = FloatVector.broadcast(F, x[xo + 3]);
        for (int j = 0; j < n; j += V) {
            FloatVector b0 = FloatVector.fromArray(F, b, bo + j);
            FloatVector b1 = FloatVector.fromArray(F, b, bo + ldb + j);
            FloatVector b2 = FloatVector.fromArray(F, b, bo + 2 * ldb + j);
            FloatVector b3 = FloatVector.fromArray(F, b, bo + 3 * ldb + j);
            FloatVector s = FloatVector.fromArray(F, c, co + j);
            s = b3.fma(x03, b2.fma(x02, b1.fma(x01, b0.fma(x00, s))));
            s.intoArray(c, co + j);
        }
    }

    /// Computes c [n] += x · b [n].
    static void single(int n, float x, float[] b, int bo, float[] c, int co) {
        FloatVector factor = FloatVector.broadcast(F, x);
        for (int j = 0; j < n; j += V) {
            FloatVector sum = FloatVector.fromArray(F, c, co + j);
            FloatVector.fromArray(F, b, bo + j).fma(factor, sum).intoArray(c, co + j);
        }
    }
}
