package io.github.panagrad.examples.demo;

import io.github.panagrad.adapters.Lora;
import io.github.panagrad.adapters.delta.AppliedDelta;
import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.delta.LayerScaling;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.DoubleFunction;

/// Scales a change by depth (LiNeS, arXiv 2410.17146) and as a whole, and sets beside each other what
/// is left of the target and of what was known. Nothing is trained for the sweep.
///
/// @param texts what is learnt, and what was known
/// @param steps of training
/// @param lora a detour of rank 8 instead of all parameters
public record LayerScalingDemo(TwoTexts texts, int steps, boolean lora) {
    private static final int POINTS = 10;
    private static final String LINEARS = "model.layers.**_proj";

    /// What came out.
    ///
    /// @param byDepth over α, with β = 1 − α
    /// @param whole over one factor for all
    public record Curves(TradeOff byDepth, TradeOff whole) {
        /// Returns how much lower the control loss is by depth than by one factor at the same target
        /// loss, the mean over the points that both curves have; NaN where they share none.
        public double advantage() {
            double sum = 0;
            int count = 0;
            for (TradeOff.Point p : byDepth.points()) {
                OptionalDouble other = whole.controlAt(p.target());
                boolean inside = p.at() > 0 && p.at() < 1;
                if (inside && other.isPresent()) {
                    sum += other.getAsDouble() - p.control();
                    count++;
                }
            }
            return count == 0 ? Double.NaN : sum / count;
        }
    }

    /// Trains once and sweeps both ways of scaling.
    public Curves run(long seed) {
        CausalLM model = texts.load();
        ParamSelection all = model.selection();
        Delta delta = trained(model, seed);
        List<Batch> heldOut = texts.heldOut(model);
        List<Batch> known = texts.known(model);
        TradeOff byDepth =
                sweep(model, a -> LayerScaling.linear(a, 1 - a).apply(delta, all), heldOut, known);
        return new Curves(byDepth, sweep(model, delta::times, heldOut, known));
    }

    /// Trains, and leaves the model as it was.
    private Delta trained(CausalLM model, long seed) {
        if (lora) {
            var adapter = Lora.rank(8).seed(seed).attach(model, LINEARS);
            texts.train(model, 2e-3, steps, steps, 0, seed);
            Delta delta = adapter.delta();
            adapter.detach();
            return delta;
        }
        var base = Delta.snapshot(model);
        texts.train(model, 5e-4, steps, steps, 0, seed);
        Delta delta = Delta.difference(base, model.stateDict());
        model.load(base);
        return delta;
    }

    private static TradeOff sweep(
            CausalLM model, DoubleFunction<Delta> scaled, List<Batch> heldOut, List<Batch> known) {
        var points = new ArrayList<TradeOff.Point>();
        for (int i = 0; i <= POINTS; i++) {
            double at = i / (double) POINTS;
            try (AppliedDelta _ = scaled.apply(at).apply(model)) {
                points.add(
                        new TradeOff.Point(
                                at, TwoTexts.loss(model, heldOut), TwoTexts.loss(model, known)));
            }
        }
        return new TradeOff(points);
    }

    /// Lays figures out as a table.
    public static String table(Curves curves) {
        var text = new StringBuilder("          by depth (α, 1−α)    as a whole\n");
        text.append("factor    target   control    target   control\n");
        for (int i = 0; i < curves.whole.points().size(); i++) {
            TradeOff.Point a = curves.byDepth.points().get(i);
            TradeOff.Point b = curves.whole.points().get(i);
            text.append(
                    String.format(
                            Locale.ROOT,
                            "%6.1f %9.4f %9.4f %9.4f %9.4f%n",
                            a.at(),
                            a.target(),
                            a.control(),
                            b.target(),
                            b.control()));
        }
        double advantage = curves.advantage();
        return text.append(
                        String.format(
                                Locale.ROOT,
                                advantage > 0
                                        ? "at equal target loss the control loss is %.4f lower by"
                                                + " depth%n"
                                        : "at equal target loss the control loss is %.4f higher by"
                                                + " depth: not shown at this scale%n",
                                Math.abs(advantage)))
                .toString();
    }
}
