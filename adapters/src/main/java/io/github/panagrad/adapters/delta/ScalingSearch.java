package io.github.panagrad.adapters.delta;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ParamSelection;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleSupplier;

/// Every scaling α, 1 − α that was tried, and how the model scored with it.
///
/// A row's worth is w·(target/target with the whole change) + (control/control without it), as in the
/// authors' code, with w = 2 by default.
///
/// @param rows in the order of α
public record ScalingSearch(List<Row> rows) {
    /// How heavily the target counts in the authors' code.
    public static final double TARGET_WEIGHT = 2;

    private static final int STEPS = 10;

    /// Copies the rows.
    public ScalingSearch {
        rows = List.copyOf(rows);
    }

    /// One scaling.
    ///
    /// @param scaling what was tried
    /// @param target the score on the data that the change is for
    /// @param control the score on data that it is not for
    /// @param worth both together
    public record Row(LayerScaling scaling, double target, double control, double worth) {}

    /// Tries α = 0, 0.1 … 1 with β = 1 − α. The model is left as it was.
    ///
    /// @param model without the change
    /// @param where all of its parameters
    /// @param target scores the model on validation data of the task; larger is better, above 0, such
    ///     as an accuracy or e to the negative loss
    /// @param control scores it on data of before
    /// @param targetWeight how many times the target counts
    /// @throws PanagradException if a score is not above 0
    public static ScalingSearch run(
            Module model,
            ParamSelection where,
            Delta delta,
            DoubleSupplier target,
            DoubleSupplier control,
            double targetWeight) {
        double untouched = score("control", control);
        double tuned;
        try (AppliedDelta _ = delta.apply(model)) {
            tuned = score("target", target);
        }
        var rows = new ArrayList<Row>();
        for (int i = 0; i <= STEPS; i++) {
            double alpha = i / (double) STEPS;
            LayerScaling scaling = LayerScaling.linear(alpha, 1 - alpha);
            try (AppliedDelta _ = scaling.apply(delta, where).apply(model)) {
                double t = score("target", target);
                double c = score("control", control);
                rows.add(new Row(scaling, t, c, targetWeight * t / tuned + c / untouched));
            }
        }
        return new ScalingSearch(rows);
    }

    private static double score(String what, DoubleSupplier score) {
        double value = score.getAsDouble();
        if (!(value > 0)) {
            throw new PanagradException(
                    "scaling search",
                    what + " score is not above 0",
                    "" + value,
                    "a score of which more is better",
                    "take e to the negative loss, or an accuracy");
        }
        return value;
    }

    /// Returns the row of the most worth, the first of them.
    public Row best() {
        return rows.stream().max(Comparator.comparingDouble(Row::worth)).orElseThrow();
    }

    /// Returns a table.
    @Override
    public String toString() {
        var text = new StringBuilder("    α     β    target   control     worth\n");
        for (Row row : rows) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            "%5.2f %5.2f %9.4f %9.4f %9.4f%s%n",
                            row.scaling.alpha(),
                            row.scaling.beta(),
                            row.target,
                            row.control,
                            row.worth,
                            row.equals(best()) ? "  <- best" : ""));
        }
        return text.toString();
    }
}
