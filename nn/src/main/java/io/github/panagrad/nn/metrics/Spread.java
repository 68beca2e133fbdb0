package io.github.panagrad.nn.metrics;

import java.util.Arrays;
import java.util.Locale;

/// The mean of a figure over seeds or folds, and how far they lie apart.
///
/// @param mean the mean
/// @param sd the standard deviation with n − 1 below; 0 for a single value
/// @param count how many values there are
public record Spread(double mean, double sd, int count) {
    /// Summarises values.
    public static Spread of(double... values) {
        Checks.require("spread", values.length > 0, "no values", 0, "at least one");
        double mean = Arrays.stream(values).sum() / values.length;
        double squares = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
        double sd = values.length == 1 ? 0 : Math.sqrt(squares / (values.length - 1));
        return new Spread(mean, sd, values.length);
    }

    /// Returns mean and deviation with three digits.
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%.3f ± %.3f", mean, sd);
    }
}
