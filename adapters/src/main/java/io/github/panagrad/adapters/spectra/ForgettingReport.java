package io.github.panagrad.adapters.spectra;

import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.delta.TensorDelta;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.drift.Drift;
import io.github.panagrad.nn.io.JsonObject;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// What fine-tuning has given and taken: losses and divergence on texts of the task and of before, how far
/// the weights have moved block by block, and how many intruders there are.
///
/// @param texts what has moved on each set of texts, by its name, such as target and control
/// @param relativeNorms ‖ΔW‖_F/‖W‖_F of each block, all of its parameters together; −1 is outside of
///     the blocks
/// @param relativeNorm the same of the whole model
/// @param spectra intruders, and how the changes are spread
public record ForgettingReport(
        Map<String, Drift> texts,
        Map<Integer, Double> relativeNorms,
        double relativeNorm,
        SpectraReport spectra) {
    /// Copies the maps in their order.
    public ForgettingReport {
        texts = Collections.unmodifiableMap(new LinkedHashMap<>(texts));
        relativeNorms = Collections.unmodifiableMap(new TreeMap<>(relativeNorms));
    }

    /// Puts a report together.
    ///
    /// @param texts what has moved on each set of texts
    /// @param base the parameters before, by path, such as [Delta#snapshot] copied them
    /// @param delta what has changed since
    /// @param where tells which parameter is in which block
    /// @param spectra of the same change
    /// @throws PanagradException if the base lacks a parameter of the selection
    public static ForgettingReport of(
            Map<String, Drift> texts,
            Map<String, ? extends Tensor> base,
            Delta delta,
            ParamSelection where,
            SpectraReport spectra) {
        var changes = new TreeMap<Integer, Double>();
        var weights = new TreeMap<Integer, Double>();
        for (ParamSelection.Entry entry : where) {
            Tensor before = base.get(entry.path());
            if (before == null) {
                throw new PanagradException(
                        "forgetting",
                        "the base has no such parameter",
                        entry.path(),
                        "a snapshot of the same model",
                        "take the selection before an adapter is attached");
            }
            TensorDelta change = delta.changes().get(entry.path());
            double moved = change == null ? 0 : squares(change.dense());
            changes.merge(entry.block(), moved, Double::sum);
            weights.merge(entry.block(), squares(before), Double::sum);
        }
        var norms = new TreeMap<Integer, Double>();
        changes.forEach((block, c) -> norms.put(block, ratio(c, weights.getOrDefault(block, 0.0))));
        double whole =
                ratio(
                        changes.values().stream().mapToDouble(d -> d).sum(),
                        weights.values().stream().mapToDouble(d -> d).sum());
        return new ForgettingReport(texts, norms, whole, spectra);
    }

    private static double ratio(double change, double weight) {
        return change == 0 ? 0 : Math.sqrt(change / weight);
    }

    private static double squares(Tensor t) {
        double sum = 0;
        for (float v : t.toFloats()) {
            sum += (double) v * v;
        }
        return sum;
    }

    /// Returns all figures.
    public JsonObject toJson() {
        var drifts = new LinkedHashMap<String, Object>();
        texts.forEach((name, drift) -> drifts.put(name, drift.toJson()));
        return JsonObject.of(
                "texts", drifts,
                "relative_norm", relativeNorm,
                "relative_norms", relativeNorms,
                "intruders", spectra.intruders(),
                "spectra", spectra.toJson());
    }

    /// Returns the figures in a few lines.
    @Override
    public String toString() {
        var text = new StringBuilder();
        texts.forEach((name, d) -> text.append(name).append(": ").append(d).append('\n'));
        text.append(String.format(Locale.ROOT, "‖ΔW‖/‖W‖ %.5f; by block", relativeNorm));
        relativeNorms.forEach((block, norm) ->
                text.append(
                        String.format(
                                Locale.ROOT,
                                "  %s %.5f",
                                block < 0 ? "outside" : block.toString(),
                                norm)));
        return text.append('\n')
                .append(
                        String.format(
                                Locale.ROOT,
                                "%d intruders of %d, mean stable rank of the change %.2f%n",
                                spectra.intruders(),
                                spectra.looked(),
                                spectra.meanStableRank()))
                .toString();
    }
}
