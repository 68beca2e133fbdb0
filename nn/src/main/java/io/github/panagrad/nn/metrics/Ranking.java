package io.github.panagrad.nn.metrics;

import java.util.Comparator;
import java.util.stream.IntStream;

/// How well scores put positive rows before negative ones, whatever the threshold.
public final class Ranking {
    private Ranking() {}

    /// Computes the area under the ROC curve: how likely a positive row's score is above a negative
    /// one's, a tie counting one half.
    ///
    /// @throws io.github.panagrad.engine.ground.PanagradException if all rows are alike
    public static double auroc(double[] scores, boolean[] positive) {
        int[] order = order("auroc", scores, positive);
        double above = 0;
        double positives = 0;
        double negatives = 0;
        for (int i = 0; i < order.length; ) {
            double tiedPositives = 0;
            double tiedNegatives = 0;
            double score = scores[order[i]];
            for (; i < order.length && scores[order[i]] == score; i++) {
                if (positive[order[i]]) {
                    tiedPositives++;
                } else {
                    tiedNegatives++;
                }
            }
            // Highest scores come first.
            above += tiedNegatives * (positives + 0.5 * tiedPositives);
            positives += tiedPositives;
            negatives += tiedNegatives;
        }
        Checks.require(
                "auroc",
                positives > 0 && negatives > 0,
                "needs rows of both kinds",
                (int) positives + " positive, " + (int) negatives + " negative",
                "one of each");
        return above / (positives * negatives);
    }

    /// Computes average precision, the area under the precision-recall curve without interpolation:
    /// the sum over thresholds of precision times the recall gained.
    ///
    /// @throws io.github.panagrad.engine.ground.PanagradException if no row is positive
    public static double averagePrecision(double[] scores, boolean[] positive) {
        int[] order = order("averagePrecision", scores, positive);
        double sum = 0;
        double found = 0;
        for (int i = 0; i < order.length; ) {
            double gained = 0;
            double score = scores[order[i]];
            for (; i < order.length && scores[order[i]] == score; i++) {
                gained += positive[order[i]] ? 1 : 0;
            }
            found += gained;
            sum += gained * found / i;
        }
        Checks.require("averagePrecision", found > 0, "needs a positive row", 0, "one");
        return sum / found;
    }

    /// Returns the rows, highest score first.
    private static int[] order(String metric, double[] scores, boolean[] positive) {
        Checks.sameLength(metric, scores.length, positive.length);
        for (double score : scores) {
            Checks.require(metric, !Double.isNaN(score), "a score is no number", score, "numbers");
        }
        return IntStream.range(0, scores.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> scores[i]).reversed())
                .mapToInt(Integer::intValue)
                .toArray();
    }
}
