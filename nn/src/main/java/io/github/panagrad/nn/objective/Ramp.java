package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.optim.Schedule;

/// A weight that goes from one value to another over the first share of a run and stays there.
///
/// @param from its value at the first step, 0 or more
/// @param to its value from then on, 0 or more
/// @param share over which share of the run it changes, above 0 and at most 1
/// @param cosine whether it changes along half a cosine; otherwise in a straight line
public record Ramp(double from, double to, double share, boolean cosine) implements Schedule {
    /// Checks the values.
    public Ramp {
        if (!(from >= 0 && to >= 0 && share > 0 && share <= 1)) {
            throw new PanagradException(
                    "ramp",
                    "values are out of range",
                    from + " to " + to + " over " + share + " of the run",
                    "weights of 0 or more, a share above 0 and at most 1",
                    "");
        }
    }

    /// Changes in a straight line.
    public static Ramp linear(double from, double to, double share) {
        return new Ramp(from, to, share, false);
    }

    /// Changes along half a cosine.
    public static Ramp cosine(double from, double to, double share) {
        return new Ramp(from, to, share, true);
    }

    /// Stays at one value.
    public static Ramp constant(double value) {
        return linear(value, value, 1);
    }

    @Override
    public double at(long step, long total) {
        if (from == to) {
            return to;
        }
        if (total <= 0) {
            throw new PanagradException(
                    "ramp",
                    "changes over the run and its length is not known",
                    "",
                    "",
                    "train for a number of steps, or use a constant weight");
        }
        double done = Math.min(1, step / (share * total));
        double way = cosine ? 0.5 * (1 - Math.cos(Math.PI * done)) : done;
        return from + (to - from) * way;
    }
}
