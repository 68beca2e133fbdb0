package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.SegmentStorage;
import java.lang.foreign.MemorySegment;

/// The matrix product on arrays.
public final class Gemm {
    private Gemm() {}

    /// Computes C = op(A)·op(B), or C += op(A)·op(B), row-major, in F32.
    ///
    /// Shapes: op(A) [m, k], op(B) [k, n] → C [m, n]. A is stored as [m, k], or as [k, m] if
    /// `transA`; B as [k, n], or as [n, k] if `transB`. The strides `lda`, `ldb`, `ldc` are the
    /// distances between stored rows; columns are one apart. With `k` = 0 the product is zero. The
    /// bits do not depend on the number of threads.
    ///
    /// @param accumulate whether to add to C instead of storing
    /// @throws PanagradException if an extent is negative or a matrix exceeds its array
    public static void sgemm(
            boolean transA,
            boolean transB,
            int m,
            int n,
            int k,
            float[] a,
            int aOff,
            int lda,
            float[] b,
            int bOff,
            int ldb,
            float[] c,
            int cOff,
            int ldc,
            boolean accumulate) {
        requireFit("A", transA ? k : m, transA ? m : k, aOff, lda, a.length);
        requireFit("B", transB ? n : k, transB ? k : n, bOff, ldb, b.length);
        requireFit("C", m, n, cOff, ldc, c.length);
        var left = new Operand.Floats(a, aOff, lda, !transA);
        var right = new Operand.Floats(b, bOff, ldb, transB);
        run(m, n, k, left, right, c, cOff, ldc, accumulate);
    }

    /// Computes the same with a B of BF16, F16 or I8 in a native segment, widened as it is read.
    ///
    /// Offset and stride of B count elements.
    public static void sgemm(
            boolean transA,
            boolean transB,
            int m,
            int n,
            int k,
            float[] a,
            int aOff,
            int lda,
            DType bType,
            MemorySegment b,
            long bOff,
            int ldb,
            float[] c,
            int cOff,
            int ldc,
            boolean accumulate) {
        requireFit("A", transA ? k : m, transA ? m : k, aOff, lda, a.length);
        long length = b.byteSize() / bType.bytes();
        requireFit("B", transB ? n : k, transB ? k : n, bOff, ldb, length);
        requireFit("C", m, n, cOff, ldc, c.length);
        var left = new Operand.Floats(a, aOff, lda, !transA);
        var right = new StoredOperand(SegmentStorage.of(bType, length, b), bOff, ldb, transB);
        run(m, n, k, left, right, c, cOff, ldc, accumulate);
    }

    /// Picks the kernel by shape.
    static void run(
            int m,
            int n,
            int k,
            Operand a,
            Operand b,
            float[] c,
            int cOff,
            int ldc,
            boolean accumulate) {
        if (m == 0 || n == 0) {
            return;
        }
        if (k == 0) {
            if (!accumulate) {
                clear(m, n, c, cOff, ldc);
            }
        } else if (FewRows.suits(m, n)) {
            FewRows.run(m, n, k, a, b, c, cOff, ldc, accumulate);
        } else {
            PackedGemm.run(m, n, k, a, b, c, cOff, ldc, accumulate);
        }
    }

    private static void clear(int m, int n, float[] c, int cOff, int ldc) {
        for (int i = 0; i < m; i++) {
            java.util.Arrays.fill(c, cOff + i * ldc, cOff + i * ldc + n, 0);
        }
    }

    private static void requireFit(
            String name, int rows, int columns, long offset, int ld, long length) {
        if (rows < 0 || columns < 0) {
            throw new PanagradException(
                    "sgemm", name + " has a negative extent", rows + " x " + columns, "", "");
        }
        long end = rows == 0 || columns == 0 ? 0 : offset + (rows - 1L) * ld + columns;
        if (offset < 0 || end > length || (rows > 1 && ld < columns)) {
            throw new PanagradException(
                    "sgemm",
                    name + " exceeds its array",
                    rows + " x " + columns + " at " + offset + " with row stride " + ld,
                    "at most " + length + " elements, row stride of at least " + columns,
                    "");
        }
    }
}
