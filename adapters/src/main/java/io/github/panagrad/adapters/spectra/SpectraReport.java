package io.github.panagrad.adapters.spectra;

import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.delta.LowRankDelta;
import io.github.panagrad.adapters.delta.TensorDelta;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.io.JsonObject;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What tuning has done to the singular vectors of a model's matrices.
///
/// @param k how many of the largest singular values were looked at
/// @param epsilon below which likeness a vector is an intruder
/// @param side which vectors were compared
/// @param matrices in the model's order
/// @param skipped why some matrices were not looked at, by path
/// @param unseen parameters that change and were not looked at
public record SpectraReport(
        int k,
        double epsilon,
        Side side,
        List<MatrixSpectrum> matrices,
        Map<String, String> skipped,
        List<String> unseen) {
    /// What a star at a matrix means.
    static final String SPANS_PART =
            "vectors longer than there are of them: the base's span a part of the space";

    /// Copies the lists.
    public SpectraReport {
        matrices = List.copyOf(matrices);
        skipped = Collections.unmodifiableMap(new LinkedHashMap<>(skipped));
        unseen = List.copyOf(unseen);
    }

    /// Returns how many intruders there are in all matrices.
    public int intruders() {
        return matrices.stream().mapToInt(m -> m.intruders(epsilon).length).sum();
    }

    /// Returns how many singular vectors were looked at in all matrices.
    public int looked() {
        return matrices.stream().mapToInt(m -> m.sigma().length).sum();
    }

    /// Returns the mean of the changes' stable ranks, of those matrices that change.
    public double meanStableRank() {
        return matrices.stream()
                .mapToDouble(m -> m.change().stableRank())
                .filter(r -> r > 0)
                .average()
                .orElse(0);
    }

    /// Returns what scales all intruders down when it is added to the tuned model:
    /// (λ−1)·σ_j·u_j·v_jᵀ for each, a change of low rank.
    ///
    /// @param lambda 1 leaves them as they are, 0 takes them away
    /// @throws PanagradException if it is not from 0 to 1
    public Delta dampIntruders(double lambda) {
        return damp(lambda, Integer.MAX_VALUE);
    }

    /// Returns what scales the largest intruder of each matrix down.
    public Delta dampLargestIntruders(double lambda) {
        return damp(lambda, 1);
    }

    private Delta damp(double lambda, int most) {
        if (!(lambda >= 0 && lambda <= 1)) {
            throw new PanagradException("damp", "lambda out of range", "" + lambda, "0 to 1", "");
        }
        var changes = new LinkedHashMap<String, TensorDelta>();
        for (MatrixSpectrum m : matrices) {
            int[] all = m.intruders(epsilon);
            int[] damped = Arrays.copyOf(all, Math.min(all.length, most));
            if (damped.length > 0 && lambda < 1) {
                changes.put(m.path(), damp(m, damped, lambda));
            }
        }
        return Delta.of(changes);
    }

    private static LowRankDelta damp(MatrixSpectrum m, int[] places, double lambda) {
        int n = places.length;
        double[] left = new double[m.rows() * n];
        double[] right = new double[n * m.cols()];
        for (int p = 0; p < n; p++) {
            int j = places[p];
            for (int i = 0; i < m.rows(); i++) {
                left[i * n + p] = (lambda - 1) * m.sigma()[j] * m.left()[j][i];
            }
            System.arraycopy(m.right()[j], 0, right, p * m.cols(), m.cols());
        }
        return LowRankDelta.of(Ops.tensor64(left, m.rows(), n), Ops.tensor64(right, n, m.cols()));
    }

    /// Returns all figures, but not the vectors.
    public JsonObject toJson() {
        return JsonObject.of(
                "k", k,
                "epsilon", epsilon,
                "side", side.toString(),
                "intruders", intruders(),
                "matrices", matrices.stream().map(m -> m.toJson(epsilon)).toList(),
                "skipped", skipped,
                "unseen", unseen);
    }

    /// Returns a page of heat maps that stands by itself: the likeness of each vector, matrix by matrix,
    /// and |⟨u_j, u⁰_i⟩| of the k largest ones of each matrix. Darker is more alike, intruders are framed.
    public String toHtml() {
        return HeatMaps.page(this);
    }

    /// Returns a table with a line for each matrix.
    @Override
    public String toString() {
        var text = new StringBuilder();
        text.append(
                String.format(
                        Locale.ROOT,
                        "%d intruders (k = %d, ε = %.2f) among the %s vectors of %d matrices%n",
                        intruders(),
                        k,
                        epsilon,
                        side,
                        matrices.size()));
        text.append("intruders  likeness   within       σ₁  stable  effective  ‖ΔW‖/‖W‖  matrix\n");
        for (MatrixSpectrum m : matrices) {
            text.append(line(m));
        }
        if (matrices.stream().anyMatch(MatrixSpectrum::spansPart)) {
            text.append("* " + SPANS_PART + "\n");
        }
        double floor = matrices.stream().mapToDouble(MatrixSpectrum::floor).max().orElse(0);
        if (epsilon < 1.5 * floor) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            "a random direction has a likeness of about %.2f: ε is close to that%n",
                            floor));
        }
        skipped.forEach((path, why) ->
                text.append("skipped ").append(path).append(": ").append(why).append('\n'));
        if (!unseen.isEmpty()) {
            text.append("not looked at: ").append(String.join(", ", unseen)).append('\n');
        }
        return text.toString();
    }

    private String line(MatrixSpectrum m) {
        double least = Arrays.stream(m.likeness()).min().orElse(1);
        double within = Arrays.stream(m.within()).min().orElse(1);
        return String.format(
                Locale.ROOT,
                "%9d %9.3f%s %8.3f %8.3f %7.2f %10.2f %9.4f  %s%n",
                m.intruders(epsilon).length,
                least,
                m.spansPart() ? "*" : " ",
                within,
                m.sigma()[0],
                m.change().stableRank(),
                m.change().effectiveRank(),
                m.change().relativeNorm(),
                m.path());
    }
}
