package io.github.panagrad.examples.rl;

import io.github.panagrad.examples.catalog.Catalog;
import io.github.panagrad.examples.catalog.Entry;
import io.github.panagrad.examples.catalog.Setting;
import io.github.panagrad.examples.catalog.Settings;
import io.github.panagrad.losses.ValueBins;
import io.github.panagrad.losses.ValueCoding;
import java.util.List;

/// How a network says a value, with its settings, as the command line names it:
/// `hl-gauss:min=0,max=200,bins=51,sigma=0.75`.
///
/// @param arm how values are learnt
/// @param low the lowest value that bins stand for
/// @param high the highest
/// @param bins how many there are
/// @param sigmaRatio the deviation of HL-Gauss in widths of a bin
public record ValueHead(ValueArm arm, double low, double high, int bins, double sigmaRatio) {
    /// The heads that can be named, with the ranges that CartPole's values have.
    public static final Catalog<ValueHead> CATALOG = new Catalog<>("--value", all());

    private static final String PAPER = "arXiv 2403.03950";

    private static List<Entry<ValueHead>> all() {
        return List.of(
                entry(ValueArm.MSE, "mse", "one output", "(v − y)²", "Mnih et al. 2015"),
                binned(
                        entry(
                                ValueArm.TWO_HOT,
                                "two-hot",
                                "bins, targets shared by two",
                                "−Σ q·log p",
                                PAPER)),
                binned(
                                entry(
                                        ValueArm.HL_GAUSS,
                                        "hl-gauss",
                                        "bins, targets spread as a bell",
                                        "−Σ q·log p",
                                        PAPER))
                        .with(Setting.of("sigma", 0.75, "deviation in widths of a bin")),
                binned(
                        entry(
                                ValueArm.C51,
                                "c51",
                                "bins, the distribution of what follows",
                                "−Σ q·log p",
                                "arXiv 1707.06887")));
    }

    private static Entry<ValueHead> entry(
            ValueArm arm, String name, String summary, String formula, String source) {
        return Entry.of(
                name,
                summary,
                formula,
                source,
                arm == ValueArm.MSE ? ValueCoding.class : ValueBins.class,
                s -> of(arm, s));
    }

    private static Entry<ValueHead> binned(Entry<ValueHead> entry) {
        return entry.with(
                Setting.of("min", 0, "lowest value"),
                Setting.of("max", 200, "highest value"),
                Setting.of("bins", 51, "how many"));
    }

    private static ValueHead of(ValueArm arm, Settings s) {
        if (arm == ValueArm.MSE) {
            return new ValueHead(arm, 0, 1, 2, 1);
        }
        var head =
                new ValueHead(
                        arm,
                        s.number("min"),
                        s.number("max"),
                        s.integer("bins"),
                        arm == ValueArm.HL_GAUSS ? s.number("sigma") : 1);
        head.coding();
        return head;
    }

    /// Returns what the outputs mean.
    ///
    /// @throws io.github.panagrad.engine.ground.PanagradException if there are no such bins
    public ValueCoding coding() {
        return arm.coding(low, high, bins, sigmaRatio);
    }

    /// Returns the same over another range.
    public ValueHead range(double from, double to) {
        return new ValueHead(arm, from, to, bins, sigmaRatio);
    }
}
