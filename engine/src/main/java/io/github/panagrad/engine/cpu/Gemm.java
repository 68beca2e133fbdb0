package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.Parallel;

/// The matrix product on arrays.
public final class Gemm {
    private Gemm() {}

    /// Computes C = op(A)·op(B), or C += op(A)·op(B), row-major, in F32.
    ///
    /// Shapes: op(A) [m, k], op(B) [k, n] → C [m, n]. A is stored as [m, k], or as [k, m] if
    /// `transA`; B as [k, n], or as [n, k] if `transB`. The strides `lda`, `ldb`, `ldc` are the
    /// distances between stored rows; columns are one apart. With `k` = 0 the product is zero.
    ///
    /// @param accumulate whether to add to C instead of storing
    public static void sgemm(
            boolean transA, boolean transB, int m, int n, int k, float[] a, int aOff, int lda,
            float[] b, int bOff, int ldb, float[] c, int cOff, int ldc, boolean accumulate) {
        int grain = Math.max(1, (int) (200_000L / Math.max(1L, (long) n * k)));
        Parallel.forRange(
                m,
                grain,
                (from, to) -> {
                    for (int i = from; i < to; i++) {
                        int row = cOff + i * ldc;
                        if (!accumulate) {
                            java.util.Arrays.fill(c, row, row + n, 0);
                        }
                        if (transB) {
                            for (int j = 0; j < n; j++) {
                                float sum = 0;
                                for (int p = 0; p < k; p++) {
                                    float x = a[transA ? aOff + p * lda + i : aOff + i * lda + p];
                                    sum += x * b[bOff + j * ldb + p];
                                }
                                c[row + j] += sum;
                            }
                        } else {
                            for (int p = 0; p < k; p++) {
                                float x = a[transA ? aOff + p * lda + i : aOff + i * lda + p];
                                for (int j = 0; j < n; j++) {
                                    c[row + j] += x * b[bOff + p * ldb + j];
                                }
                            }
                        }
                    }
                });
    }
}
