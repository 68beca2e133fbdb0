package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.metrics.Interval;
import io.github.panagrad.nn.metrics.Spread;
import java.util.Locale;
import java.util.stream.IntStream;

/// Whether figures bear a claim out.
///
/// Runs of two arms with the same seed make a pair; the mean of the pairs' differences has an interval
/// of 95 % by Student's t. Source: Student 1908, The probable error of a mean.
///
/// @param gain by how much the arm is better, with its interval; below 0 it is worse
/// @param least by how much it is to be better
public record Verdict(Interval gain, double least) {
    /// The 97.5 % quantiles of Student's t with 1, 2, … degrees of freedom.
    private static final double[] QUANTILES = {
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
        2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
        2.052, 2.048, 2.045, 2.042
    };

    /// What can be said.
    public enum Answer {
        /// The whole interval is better than claimed.
        SHOWN("shown"),
        /// The interval holds both.
        NOT_SHOWN("not shown at this scale"),
        /// The whole interval is worse, and worse than claimed.
        CONTRARY("the contrary shows at this scale");

        private final String words;

        Answer(String words) {
            this.words = words;
        }
    }

    /// Compares the figures of two arms, seed by seed.
    ///
    /// @param plain figures of the arm compared with
    /// @param arm figures of the arm that is to be better, of the same seeds in the same order
    /// @param higher whether a higher figure is better
    /// @param least by how much it is to be better
    public static Verdict of(double[] plain, double[] arm, boolean higher, double least) {
        if (plain.length != arm.length) {
            throw new PanagradException(
                    "verdict",
                    "the arms do not pair up",
                    plain.length + " and " + arm.length + " figures",
                    "one of each seed",
                    "");
        }
        double sign = higher ? 1 : -1;
        Spread gains =
                Spread.of(
                        IntStream.range(0, arm.length)
                                .mapToDouble(i -> sign * (arm[i] - plain[i]))
                                .toArray());
        double half = halfWidth(gains);
        return new Verdict(
                new Interval(gains.mean(), gains.mean() - half, gains.mean() + half), least);
    }

    /// A single pair tells nothing of how far pairs lie apart. More than 31 are judged like 31, which
    /// widens the interval by 4 % at most.
    private static double halfWidth(Spread gains) {
        if (gains.count() == 1) {
            return Double.POSITIVE_INFINITY;
        }
        double t = QUANTILES[Math.min(gains.count() - 1, QUANTILES.length) - 1];
        return t * gains.sd() / Math.sqrt(gains.count());
    }

    /// Returns what can be said.
    public Answer answer() {
        if (gain.low() > least) {
            return Answer.SHOWN;
        }
        return gain.high() < Math.min(least, 0) ? Answer.CONTRARY : Answer.NOT_SHOWN;
    }

    /// Returns the answer with the gain and its interval.
    @Override
    public String toString() {
        String figures =
                Double.isInfinite(gain.low())
                        ? String.format(Locale.ROOT, "gain %.3f in a single run", gain.value())
                        : String.format(
                                Locale.ROOT,
                                "gain %.3f, interval %.3f to %.3f",
                                gain.value(),
                                gain.low(),
                                gain.high());
        return answer().words + ": " + figures;
    }
}
