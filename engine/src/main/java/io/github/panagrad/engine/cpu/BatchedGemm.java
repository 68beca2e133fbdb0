package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.Parallel;

/// Matrix products over leading dimensions, any of which an operand may repeat with stride 0.
///
/// Small matrices are shared out whole, large ones one after the other with all threads on each.
/// The choice depends on the shapes only, and the bits on neither.
final class BatchedGemm {
    /// Multiplications of a matrix that is large enough for all threads: about 0.3 ms for one.
    private static final long LARGE = 1 << 24;

    /// Multiplications that are worth another thread: 20 µs.
    private static final long GRAIN = 1 << 20;

    private final int[] dims;
    private final long[] aStrides;
    private final long[] bStrides;
    private final long[] cStrides;

    /// Names the leading dimensions and how many elements each operand moves on along them.
    BatchedGemm(int[] dims, long[] aStrides, long[] bStrides, long[] cStrides) {
        this.dims = dims;
        this.aStrides = aStrides;
        this.bStrides = bStrides;
        this.cStrides = cStrides;
    }

    /// Computes C [m, n] = A·B or C += A·B for every matrix of the batch.
    void run(
            int m,
            int n,
            int k,
            Operand a,
            Operand b,
            float[] c,
            int co,
            int ldc,
            boolean accumulate) {
        int count = 1;
        for (int dim : dims) {
            count = Math.multiplyExact(count, dim);
        }
        long work = Math.max(1, (long) m * n * k);
        if (count == 1 || work >= LARGE) {
            for (int i = 0; i < count; i++) {
                one(i, m, n, k, a, b, c, co, ldc, accumulate);
            }
            return;
        }
        Parallel.forRange(
                count,
                (int) Math.max(1, GRAIN / work),
                (from, to) -> {
                    for (int i = from; i < to; i++) {
                        one(i, m, n, k, a, b, c, co, ldc, accumulate);
                    }
                });
    }

    private void one(
            int index,
            int m,
            int n,
            int k,
            Operand a,
            Operand b,
            float[] c,
            int co,
            int ldc,
            boolean accumulate) {
        long at = 0;
        long bt = 0;
        long ct = 0;
        int rest = index;
        for (int d = dims.length - 1; d >= 0; d--) {
            int i = rest % dims[d];
            rest /= dims[d];
            at += i * aStrides[d];
            bt += i * bStrides[d];
            ct += i * cStrides[d];
        }
        Gemm.run(m, n, k, a.at(at), b.at(bt), c, co + (int) ct, ldc, accumulate);
    }
}
