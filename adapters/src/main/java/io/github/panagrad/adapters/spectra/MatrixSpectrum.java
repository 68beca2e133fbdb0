package io.github.panagrad.adapters.spectra;

import io.github.panagrad.nn.io.JsonObject;
import java.util.Arrays;
import java.util.stream.IntStream;

/// A tuned matrix beside its base: its largest singular values, and how their vectors resemble the
/// base's.
///
/// @param path of the parameter
/// @param block that it is in, −1 outside of all
/// @param side which vectors are compared; where they are longer than there are of them, the base's
///     span a part of the space only, and a low likeness has that as a possible reason too
/// @param rows of the matrix
/// @param cols of the matrix
/// @param sigma the k largest singular values, descending
/// @param likeness of each vector, max_i |⟨u_j, u⁰_i⟩| over all of the base's
/// @param within how much of each vector lies in the span of the base's at most k places away: near 1
///     for one that is merely turned among singular values of like size
/// @param overlap |⟨u_j, u⁰_i⟩| of the k largest of both, a row for each j
/// @param left the left vectors, each of `rows`
/// @param right the right vectors, each of `cols`
/// @param change over how many directions the change is spread
public record MatrixSpectrum(
        String path,
        int block,
        Side side,
        int rows,
        int cols,
        double[] sigma,
        double[] likeness,
        double[] within,
        double[][] overlap,
        double[][] left,
        double[][] right,
        ChangeSpread change) {
    /// Returns the places of the intruders, from 0 for the largest singular value.
    public int[] intruders(double epsilon) {
        return IntStream.range(0, likeness.length).filter(j -> likeness[j] < epsilon).toArray();
    }

    /// Returns how much a random direction is expected to resemble one of m others at most, m being the
    /// vectors' length: √(2·ln m/m).
    public double floor() {
        int m = side.extent(rows, cols);
        return Math.sqrt(2 * Math.log(m) / m);
    }

    /// Tells whether the base's vectors span a part of the space only.
    public boolean spansPart() {
        return side.extent(rows, cols) > Math.min(rows, cols);
    }

    JsonObject toJson(double epsilon) {
        return JsonObject.of(
                "path", path,
                "block", block,
                "side", side.toString(),
                "rows", rows,
                "cols", cols,
                "sigma", Arrays.stream(sigma).boxed().toList(),
                "likeness", Arrays.stream(likeness).boxed().toList(),
                "within", Arrays.stream(within).boxed().toList(),
                "intruders", intruders(epsilon),
                "stable_rank", change.stableRank(),
                "effective_rank", change.effectiveRank(),
                "relative_norm", change.relativeNorm());
    }
}
