package io.github.panagrad.nn.linalg;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.ShapeException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;

/// Decomposes dense row-major matrices: thin SVD, thin QR, symmetric eigenvalues.
///
/// All arithmetic is F64 on one thread. Order and signs of the factors are fixed, so the same
/// matrix gives the same bits each time. Values only: no gradient flows through a decomposition.
///
/// Every method throws [ShapeException] where an array does not hold rows × cols entries or a size
/// is not positive, and [PanagradException] for NaN or infinite entries and where an iteration does
/// not converge. Inputs are never written to.
public final class Decompositions {
    /// Largest |a[i,j] − a[j,i]|, relative to the largest entry, that still counts as symmetric:
    /// well above what long sums in F32 leave behind.
    private static final double SYMMETRY = 1e-4;

    private Decompositions() {}

    /// Holds a thin singular value decomposition A = U · diag(s) · Vᵀ, with k = min(rows, cols).
    ///
    /// Shapes: u (rows, k), s (k), vt (k, cols), row-major. The columns of u and the rows of vt are
    /// orthonormal.
    ///
    /// @param u left singular vectors, one a column; in each, the entry of largest magnitude is
    ///     positive
    /// @param s singular values, non-negative and descending
    /// @param vt right singular vectors, one a row
    public record Svd(double[] u, double[] s, double[] vt) {}

    /// Holds a thin QR decomposition A = Q · R, with k = min(rows, cols).
    ///
    /// Shapes: q (rows, k), r (k, cols), row-major.
    ///
    /// @param q orthonormal columns
    /// @param r upper triangular (upper trapezoidal where cols > rows), its diagonal non-negative
    public record Qr(double[] q, double[] r) {}

    /// Holds the eigenvalues and eigenvectors of a symmetric matrix A = V · diag(λ) · Vᵀ.
    ///
    /// Shapes: values (n), vectors (n, n), row-major.
    ///
    /// @param values eigenvalues, descending
    /// @param vectors orthonormal eigenvectors, one a column; in each, the entry of largest
    ///     magnitude is positive
    public record Eigen(double[] values, double[] vectors) {}

    /// Computes the thin singular value decomposition (Golub and Reinsch, implicit QR).
    ///
    /// Shapes: a (rows, cols) → u (rows, k), s (k), vt (k, cols).
    public static Svd svd(float[] a, int rows, int cols) {
        return svd(widen(a), rows, cols);
    }

    /// Computes the thin singular value decomposition (Golub and Reinsch, implicit QR).
    ///
    /// Shapes: a (rows, cols) → u (rows, k), s (k), vt (k, cols).
    public static Svd svd(double[] a, int rows, int cols) {
        int k = Math.min(rows, cols);
        int exponent = check("svd", a, rows, cols);
        var svd = DecompositionFactory_DDRM.svd(rows, cols, true, true, true);
        converged("svd", svd.decompose(scaled(a, rows, cols, -exponent)), rows, cols);
        double[] s = svd.getSingularValues();
        DMatrixRMaj u = svd.getU(null, false);
        DMatrixRMaj vt = svd.getV(null, true);
        int[] order = descending(s, k);

        var sorted = new Svd(new double[rows * k], new double[k], new double[k * cols]);
        for (int to = 0; to < k; to++) {
            int from = order[to];
            double sign = signOfLargest(u, from);
            sorted.s[to] = Math.scalb(s[from], exponent);
            for (int i = 0; i < rows; i++) {
                sorted.u[i * k + to] = sign * u.get(i, from);
            }
            for (int j = 0; j < cols; j++) {
                sorted.vt[to * cols + j] = sign * vt.get(from, j);
            }
        }
        return sorted;
    }

    /// Computes the singular values alone, descending; much less work than [#svd].
    ///
    /// Shapes: a (rows, cols) → (k).
    public static double[] singularValues(double[] a, int rows, int cols) {
        int exponent = check("singularValues", a, rows, cols);
        var svd = DecompositionFactory_DDRM.svd(rows, cols, false, false, true);
        boolean done = svd.decompose(scaled(a, rows, cols, -exponent));
        converged("singularValues", done, rows, cols);
        return Arrays.stream(svd.getSingularValues(), 0, Math.min(rows, cols))
                .map(s -> -Math.scalb(s, exponent))
                .sorted()
                .map(s -> -s)
                .toArray();
    }

    /// Computes the thin QR decomposition with Householder reflections.
    ///
    /// Shapes: a (rows, cols) → q (rows, k), r (k, cols).
    public static Qr qr(float[] a, int rows, int cols) {
        return qr(widen(a), rows, cols);
    }

    /// Computes the thin QR decomposition with Householder reflections.
    ///
    /// Shapes: a (rows, cols) → q (rows, k), r (k, cols).
    public static Qr qr(double[] a, int rows, int cols) {
        int k = Math.min(rows, cols);
        int exponent = check("qr", a, rows, cols);
        var qr = DecompositionFactory_DDRM.qr(rows, cols);
        // It answers false for a column that is zero below the diagonal, and skips its reflection:
        // the factors hold all the same.
        boolean _ = qr.decompose(scaled(a, rows, cols, -exponent));
        DMatrixRMaj q = qr.getQ(null, true);
        DMatrixRMaj r = qr.getR(null, true);

        var result = new Qr(new double[rows * k], new double[k * cols]);
        for (int c = 0; c < k; c++) {
            double sign = r.get(c, c) < 0 ? -1 : 1;
            for (int i = 0; i < rows; i++) {
                result.q[i * k + c] = sign * q.get(i, c);
            }
            for (int j = c; j < cols; j++) {
                result.r[c * cols + j] = Math.scalb(sign * r.get(c, j), exponent);
            }
        }
        return result;
    }

    /// Computes all eigenvalues and eigenvectors of a symmetric matrix.
    ///
    /// Shapes: a (n, n) → values (n), vectors (n, n). Throws [PanagradException] where a is not
    /// symmetric to within 1e-4 of its largest entry; the mean of a and aᵀ is what is decomposed.
    public static Eigen symmetricEigen(float[] a, int n) {
        return symmetricEigen(widen(a), n);
    }

    /// Computes all eigenvalues and eigenvectors of a symmetric matrix.
    ///
    /// Shapes: a (n, n) → values (n), vectors (n, n). Throws [PanagradException] where a is not
    /// symmetric to within 1e-4 of its largest entry; the mean of a and aᵀ is what is decomposed.
    public static Eigen symmetricEigen(double[] a, int n) {
        int exponent = check("symmetricEigen", a, n, n);
        DMatrixRMaj symmetric = scaled(a, n, n, -exponent);
        symmetrize(symmetric, n);
        var eigen = DecompositionFactory_DDRM.eig(n, true, true);
        converged("symmetricEigen", eigen.decompose(symmetric), n, n);
        double[] values =
                IntStream.range(0, n).mapToDouble(i -> eigen.getEigenvalue(i).real).toArray();
        int[] order = descending(values, n);

        var sorted = new Eigen(new double[n], new double[n * n]);
        for (int to = 0; to < n; to++) {
            int from = order[to];
            DMatrixRMaj vector = eigen.getEigenVector(from);
            double sign = signOfLargest(vector, 0);
            sorted.values[to] = Math.scalb(values[from], exponent);
            for (int i = 0; i < n; i++) {
                sorted.vectors[i * n + to] = sign * vector.get(i, 0);
            }
        }
        return sorted;
    }

    /// Returns the exponent of the largest entry after checking sizes and finiteness.
    private static int check(String where, double[] a, int rows, int cols) {
        if (rows < 1 || cols < 1 || (long) rows * cols != a.length) {
            throw new ShapeException(
                    where,
                    "array and sizes do not fit",
                    a.length + " entries for (" + rows + ", " + cols + ")",
                    "rows × cols entries, both sizes positive",
                    "");
        }
        double largest = 0;
        for (int i = 0; i < a.length; i++) {
            if (!Double.isFinite(a[i])) {
                throw new PanagradException(
                        where,
                        "matrix (" + rows + ", " + cols + ") has an entry that is not finite",
                        a[i] + " at [" + i / cols + ", " + i % cols + "]",
                        "",
                        "look for a step that diverged before this one");
            }
            largest = Math.max(largest, Math.abs(a[i]));
        }
        return largest == 0 ? 0 : Math.getExponent(largest);
    }

    /// Copies a times 2^exponent: with entries near one no square over- or underflows, and a power
    /// of two costs no accuracy.
    private static DMatrixRMaj scaled(double[] a, int rows, int cols, int exponent) {
        double[] copy = new double[a.length];
        for (int i = 0; i < a.length; i++) {
            copy[i] = Math.scalb(a[i], exponent);
        }
        return DMatrixRMaj.wrap(rows, cols, copy);
    }

    private static void symmetrize(DMatrixRMaj a, int n) {
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < i; j++) {
                double lower = a.get(i, j);
                double upper = a.get(j, i);
                // The largest entry was scaled to [1, 2), so the tolerance is relative to it.
                if (Math.abs(lower - upper) > SYMMETRY) {
                    throw new PanagradException(
                            "symmetricEigen",
                            "matrix (" + n + ", " + n + ") is not symmetric",
                            "entries that differ at [" + i + ", " + j + "] and its mirror",
                            "",
                            "pass (a + aᵀ) / 2, or use svd");
                }
                double mean = 0.5 * (lower + upper);
                a.set(i, j, mean);
                a.set(j, i, mean);
            }
        }
    }

    private static int[] descending(double[] values, int count) {
        return IntStream.range(0, count)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -values[i]))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    private static double signOfLargest(DMatrixRMaj m, int column) {
        double largest = 0;
        for (int i = 0; i < m.numRows; i++) {
            double entry = m.get(i, column);
            if (Math.abs(entry) > Math.abs(largest)) {
                largest = entry;
            }
        }
        return largest < 0 ? -1 : 1;
    }

    private static void converged(String where, boolean done, int rows, int cols) {
        if (!done) {
            throw new PanagradException(
                    where, "no convergence", "matrix (" + rows + ", " + cols + ")", "", "");
        }
    }

    private static double[] widen(float[] a) {
        double[] wide = new double[a.length];
        for (int i = 0; i < a.length; i++) {
            wide[i] = a[i];
        }
        return wide;
    }
}
