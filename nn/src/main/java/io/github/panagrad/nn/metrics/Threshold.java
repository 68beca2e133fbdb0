package io.github.panagrad.nn.metrics;

import java.util.Arrays;
import java.util.function.ToDoubleFunction;

/// Where to cut scores into positive and negative. Choose on validation data, never on the test's.
///
/// @param cut rows with a score of at least this are positive
/// @param value what the figure is there
public record Threshold(double cut, double value) {
    /// Tries every score as the cut and returns the one with the highest figure, of equals the
    /// lowest cut.
    ///
    /// @param figure of the labels 0 and 1, such as `r -> r.f1(1)` or
    ///     `ClassificationReport::balancedAccuracy`
    public static Threshold best(
            double[] scores, boolean[] positive, ToDoubleFunction<ClassificationReport> figure) {
        Checks.sameLength("threshold", scores.length, positive.length);
        int[] truth = new int[scores.length];
        for (int i = 0; i < truth.length; i++) {
            truth[i] = positive[i] ? 1 : 0;
        }
        Threshold best = null;
        for (double cut : Arrays.stream(scores).sorted().distinct().toArray()) {
            double value =
                    figure.applyAsDouble(ClassificationReport.of(truth, labels(scores, cut), 2));
            if (best == null || value > best.value) {
                best = new Threshold(cut, value);
            }
        }
        if (best == null) {
            throw new IllegalStateException("at least one score was there");
        }
        return best;
    }

    /// Returns 1 for scores of at least the cut, 0 for others.
    public int[] labels(double[] scores) {
        return labels(scores, cut);
    }

    private static int[] labels(double[] scores, double cut) {
        return Arrays.stream(scores).mapToInt(score -> score >= cut ? 1 : 0).toArray();
    }
}
