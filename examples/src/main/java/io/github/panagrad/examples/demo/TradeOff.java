package io.github.panagrad.examples.demo;

import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

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

    /// Returns a line a point.
    @Override
    public String toString() {
        var text = new StringBuilder("    at    target   control\n");
        for (Point p : points) {
            text.append(
                    String.format(Locale.ROOT, "%6.2f %9.4f %9.4f%n", p.at, p.target, p.control));
        }
        return text.toString();
    }
}
