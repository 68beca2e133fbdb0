package io.github.panagrad.nn.optim;

import io.github.panagrad.engine.ground.PanagradException;

/// The factor on the learning rate, step by step.
///
/// ```java
/// Schedule.cosine().warmup(100)
/// ```
@FunctionalInterface
public interface Schedule {
    /// Returns the factor for a step.
    ///
    /// @param step the number of the step, from 0
    /// @param total how many steps there will be
    double at(long step, long total);

    /// Keeps the learning rate as it is.
    static Schedule constant() {
        return (step, total) -> 1;
    }

    /// Falls in a straight line from 1 towards 0, which the step after the last would reach.
    static Schedule linear() {
        return (step, total) -> 1 - progress(step, total);
    }

    /// Falls from 1 to 0 along half a cosine (Loshchilov, Hutter, arXiv 1608.03983).
    static Schedule cosine() {
        return cosine(0);
    }

    /// Falls from 1 to `floor` along half a cosine.
    static Schedule cosine(double floor) {
        return (step, total) ->
                floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * progress(step, total)));
    }

    private static double progress(long step, long total) {
        if (total <= 0) {
            throw new PanagradException(
                    "schedule",
                    "falls over the whole run and its length is not known",
                    "",
                    "",
                    "train for a number of steps, or use a constant schedule");
        }
        return Math.min(1, (double) step / total);
    }

    /// Rises in a straight line over the first `steps` steps, the last of which has the full rate,
    /// and goes through this schedule in the rest.
    default Schedule warmup(long steps) {
        if (steps < 0) {
            throw new PanagradException(
                    "schedule", "negative warm-up", "" + steps, "0 or more", "");
        }
        return (step, total) ->
                step < steps ? (step + 1.0) / steps : at(step - steps, total - steps);
    }

    /// Warms up over a share of the run, such as 0.03.
    default Schedule warmupShare(double share) {
        if (!(share >= 0 && share < 1)) {
            throw new PanagradException(
                    "schedule", "not a share of the run", "" + share, "0 to below 1", "");
        }
        return (step, total) -> warmup(Math.round(share * total)).at(step, total);
    }
}
