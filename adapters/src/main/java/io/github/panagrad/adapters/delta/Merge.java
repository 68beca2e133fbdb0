package io.github.panagrad.adapters.delta;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.ground.PanagradException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/// Makes one change of several ones of the same model, such as those for different tasks.
///
/// ```java
/// Delta merged = Merge.ties(deltas, 0.2);
/// Delta scaled = LayerScaling.forMerge(merged, deltas, 0.5).apply(merged, model.selection());
/// ```
public final class Merge {
    private Merge() {}

    /// What one entry becomes, of the entries of all changes.
    private interface Rule {
        float merge(float[] entries);
    }

    /// Adds them up (task arithmetic, Ilharco et al., arXiv 2212.04089).
    ///
    /// @throws PanagradException if there is none, or two do not fit
    public static Delta sum(List<Delta> deltas) {
        requireSome(deltas);
        return deltas.stream().reduce(Delta::plus).orElseThrow();
    }

    /// Takes their mean.
    public static Delta average(List<Delta> deltas) {
        return sum(deltas).times(1.0 / deltas.size());
    }

    /// Trims each to its largest entries, chooses for each entry the sign with more weight behind it,
    /// and takes the mean of those that have it (TIES, Yadav et al., arXiv 2306.01708, algorithm 1).
    ///
    /// Of entries as large as the last that is kept, all are.
    ///
    /// @param density the share of its entries that each keeps, 0.2 in the paper
    public static Delta ties(List<Delta> deltas, double density) {
        requireSome(deltas);
        if (!(density > 0 && density <= 1)) {
            throw new PanagradException(
                    "ties", "density out of range", "" + density, "above 0, at most 1", "");
        }
        long entries = Entries.shapes(deltas).values().stream().mapToLong(s -> s.size()).sum();
        long kept = Math.max(1, Math.round(density * entries));
        int[] thresholds = deltas.stream().mapToInt(d -> Entries.threshold(d, kept)).toArray();
        return merge(deltas, (float[] all) -> elected(all, thresholds));
    }

    private static float elected(float[] all, int[] thresholds) {
        double total = 0;
        for (int t = 0; t < all.length; t++) {
            if (Entries.magnitude(all[t]) < thresholds[t]) {
                all[t] = 0;
            }
            total += all[t];
        }
        double sum = 0;
        int agreeing = 0;
        for (float v : all) {
            if (v * total > 0) {
                sum += v;
                agreeing++;
            }
        }
        return agreeing == 0 ? 0 : (float) (sum / agreeing);
    }

    /// Adds them up and keeps the entries that matter to several tasks: an entry matters to task t if
    /// |τ_t| ≥ λ·|τ − τ_t|, with τ the sum (consensus task arithmetic, Wang et al., arXiv 2405.07813).
    ///
    /// @param tasks how many tasks an entry has to matter to, 2 in the paper
    /// @param lambda λ, chosen on validation data from 0.2 to 0.6 in the paper
    public static Delta consensus(List<Delta> deltas, int tasks, double lambda) {
        requireSome(deltas);
        if (tasks < 1 || tasks > deltas.size() || !(lambda > 0)) {
            throw new PanagradException(
                    "consensus",
                    "out of range",
                    tasks + " of " + deltas.size() + " tasks, lambda " + lambda,
                    "1 to " + deltas.size() + " tasks, lambda above 0",
                    "");
        }
        return merge(deltas, (float[] all) -> agreed(all, tasks, lambda));
    }

    private static float agreed(float[] all, int tasks, double lambda) {
        double sum = 0;
        for (float v : all) {
            sum += v;
        }
        int mattering = 0;
        for (float v : all) {
            mattering += v != 0 && Math.abs(v) >= lambda * Math.abs(sum - v) ? 1 : 0;
        }
        return mattering >= tasks ? (float) sum : 0;
    }

    private static Delta merge(List<Delta> deltas, Rule rule) {
        var merged = new LinkedHashMap<String, TensorDelta>();
        Entries.shapes(deltas)
                .forEach((path, shape) -> {
                    var columns = new ArrayList<>(Entries.of(deltas, path, shape));
                    float[] values = new float[shape.intSize()];
                    float[] entry = new float[columns.size()];
                    for (int i = 0; i < values.length; i++) {
                        for (int t = 0; t < entry.length; t++) {
                            entry[t] = columns.get(t)[i];
                        }
                        values[i] = rule.merge(entry);
                    }
                    merged.put(path, new DenseDelta(Ops.tensor(values, shape.toArray()).keep()));
                });
        return Delta.of(merged);
    }

    private static void requireSome(List<Delta> deltas) {
        if (deltas.isEmpty()) {
            throw new PanagradException("merge", "nothing to merge", "", "at least one delta", "");
        }
    }
}
