package io.github.panagrad.examples.demo;

import java.util.Collection;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/// How the loss on what is learnt and the loss on what was known go together, over training or over a
/// setting.
///
/// @param points in the order they were measured
public record TradeOff(List<Point> points) {
    /// Copies the points.
    public TradeOff {
        points = List.copyOf(points);
    }

    /// One measurement.
    ///
    /// @param at the setting or step
    /// @param target the loss on what is learnt
    /// @param control the loss on what was known
    public record Point(double at, double target, double control) {}

    /// Returns the control loss where the target loss has a value, on the way from point to point; the
    /// least of them where the way passes it several times, none where it never does.
    public OptionalDouble controlAt(double target) {
        double least = Double.POSITIVE_INFINITY;
        for (int i = 1; i < points.size(); i++) {
            Point a = points.get(i - 1);
            Point b = points.get(i);
            boolean passes =
                    Math.min(a.target, b.target) <= target
                            && target <= Math.max(a.target, b.target);
            if (passes && a.target != b.target) {
                double share = (target - a.target) / (b.target - a.target);
                least = Math.min(least, a.control + share * (b.control - a.control));
            }
        }
        return Double.isFinite(least) ? OptionalDouble.of(least) : OptionalDouble.empty();
    }

    /// Returns the lowest target loss that was measured.
    public double lowest() {
        return points.stream().mapToDouble(Point::target).min().orElseThrow();
    }

    /// Returns the highest target loss that was measured.
    public double highest() {
        return points.stream().mapToDouble(Point::target).max().orElseThrow();
    }

    /// Returns the mean control loss over target losses in a range, at nine of them.
    ///
    /// @param low the least target loss, which the way must reach
    /// @param high the largest one, which it must reach, too
    public double meanControl(double low, double high) {
        return IntStream.rangeClosed(1, 9)
                .mapToDouble(i -> controlAt(low + i / 10.0 * (high - low)).orElseThrow())
                .average()
                .orElseThrow();
    }

    /// Returns the lowest target loss that all of some ways reach.
    public static double reachedByAll(Collection<TradeOff> ways) {
        return ways.stream().mapToDouble(TradeOff::lowest).max().orElseThrow();
    }
}
