package io.github.panagrad.adapters.spectra;

import io.github.panagrad.nn.linalg.Decompositions;
import java.util.Arrays;

/// How evenly a matrix stretches.
///
/// For y = W·x with Gaussian x, the entropy of y differs from that of x by Σ log σᵢ; of all matrices
/// with the same Frobenius norm, those with equal σᵢ keep the most. Both κ and the log-volume measure
/// that, and neither changes when the matrix is multiplied by a number.
///
/// @param rows of the matrix
/// @param cols of the matrix
/// @param largest σ₁
/// @param smallest the last singular value
/// @param logVolume mean log σᵢ − ½·log(mean σᵢ²), at most 0, and 0 for equal σᵢ; −∞ for a matrix
///     without full rank
public record Condition(int rows, int cols, double largest, double smallest, double logVolume) {
    /// What rounding in F64 leaves of a singular value of zero, relative to the largest, a row or
    /// column.
    private static final double ROUNDING = Math.ulp(1.0);

    /// Computes it from a matrix's entries. Shapes: a (rows, cols), row-major.
    ///
    /// @throws io.github.panagrad.engine.ground.PanagradException if an entry is not finite, or the
    ///     decomposition does not converge
    public static Condition of(double[] a, int rows, int cols) {
        double[] s = Decompositions.singularValues(a, rows, cols);
        double least = ROUNDING * Math.max(rows, cols) * s[0];
        double[] exact = Arrays.stream(s).map(v -> v <= least ? 0 : v).toArray();
        double logs = Arrays.stream(exact).map(Math::log).sum() / s.length;
        double squares = Arrays.stream(exact).map(v -> v * v).sum() / s.length;
        double volume = s[0] == 0 ? Double.NEGATIVE_INFINITY : logs - 0.5 * Math.log(squares);
        return new Condition(rows, cols, s[0], exact[exact.length - 1], Math.min(0, volume));
    }

    /// Returns κ = σ₁/σ_min, infinite for a matrix without full rank.
    public double kappa() {
        return smallest == 0 ? Double.POSITIVE_INFINITY : largest / smallest;
    }

    /// Returns the number of entries.
    public long size() {
        return (long) rows * cols;
    }
}
