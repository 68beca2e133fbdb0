package io.github.panagrad.nn.metrics;

import io.github.panagrad.engine.ground.Rng;
import java.util.Arrays;
import java.util.function.ToDoubleFunction;

/// A figure with the range that a bootstrap gives it.
///
/// @param value the figure on the rows as they are
/// @param low the lower end
/// @param high the upper end
public record Interval(double value, double low, double high) {
    /// Draws rows with replacement, again and again, and takes the percentiles of a figure.
    ///
    /// For the difference of two models, let the figure be the difference on the same rows: the
    /// interval is paired then. The same seed gives the same interval.
    ///
    /// Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
    ///
    /// @param rows how many rows there are
    /// @param figure of rows, by their numbers, which may repeat; NaN where it is not defined
    /// @param resamples how often, such as 1000
    /// @param level the share of the range, such as 0.95
    public static Interval bootstrap(
            int rows, ToDoubleFunction<int[]> figure, int resamples, double level, long seed) {
        Checks.require(
                "bootstrap",
                rows > 0 && resamples > 0 && level > 0 && level < 1,
                "out of range",
                rows + " rows, " + resamples + " resamples, level " + level,
                "at least 1 of each, level between 0 and 1");
        int[] all = new int[rows];
        Arrays.setAll(all, i -> i);
        double[] figures = new double[resamples];
        int[] drawn = new int[rows];
        for (int r = 0; r < resamples; r++) {
            var draw = new Rng.Draw(seed, r);
            Arrays.setAll(drawn, i -> (int) ((Integer.toUnsignedLong(draw.bits(i)) * rows) >>> 32));
            figures[r] = figure.applyAsDouble(drawn);
        }
        double[] sorted = Arrays.stream(figures).filter(f -> !Double.isNaN(f)).sorted().toArray();
        Checks.require(
                "bootstrap", sorted.length > 0, "the figure is never defined", "NaN", "a number");
        return new Interval(
                figure.applyAsDouble(all),
                quantile(sorted, (1 - level) / 2),
                quantile(sorted, (1 + level) / 2));
    }

    /// Bootstraps the mean difference of two models' figures on the same rows, first minus second.
    public static Interval pairedDifference(
            double[] first, double[] second, int resamples, double level, long seed) {
        Checks.sameLength("bootstrap", first.length, second.length);
        return bootstrap(
                first.length,
                rows -> {
                    double sum = 0;
                    for (int row : rows) {
                        sum += first[row] - second[row];
                    }
                    return sum / rows.length;
                },
                resamples,
                level,
                seed);
    }

    /// Tells whether a number is in the range, ends included.
    public boolean contains(double number) {
        return low <= number && number <= high;
    }

    private static double quantile(double[] sorted, double share) {
        double at = share * (sorted.length - 1);
        int below = (int) at;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
    }
}
