package io.github.panagrad.adapters.spectra;

import java.util.Arrays;

/// Over how many directions a change of a matrix is spread.
///
/// @param stableRank ‖ΔW‖_F² / σ₁², at most the rank
/// @param effectiveRank e to the entropy of σ/Σσ (Roy and Vetterli 2007)
/// @param relativeNorm ‖ΔW‖_F / ‖W⁰‖_F
public record ChangeSpread(double stableRank, double effectiveRank, double relativeNorm) {
    /// Computes it from singular values, descending.
    ///
    /// @param change those of the change; all figures are 0 where it is none
    /// @param base those of the matrix
    public static ChangeSpread of(double[] change, double[] base) {
        double squares = squares(change);
        if (squares == 0) {
            return new ChangeSpread(0, 0, 0);
        }
        double sum = Arrays.stream(change).sum();
        double entropy =
                Arrays.stream(change)
                        .filter(s -> s > 0)
                        .map(s -> -s / sum * Math.log(s / sum))
                        .sum();
        return new ChangeSpread(
                squares / (change[0] * change[0]),
                Math.exp(entropy),
                Math.sqrt(squares / squares(base)));
    }

    private static double squares(double[] values) {
        return Arrays.stream(values).map(v -> v * v).sum();
    }
}
