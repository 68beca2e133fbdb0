package io.github.panagrad.adapters;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.train.GradTransform;
import io.github.panagrad.nn.train.Step;
import io.github.panagrad.nn.train.StepMetrics;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// Takes the least important ranks of an [AdaLora] adapter away while it trains (Zhang et al.,
/// arXiv 2303.10512, sections 3.2 and 3.3).
///
/// It is handed to a trainer twice: with the gradients of each step it follows how much every entry
/// matters, after the step it sets the entries of E to zero that the budget has no room for. After
/// the last cut the directions that are left stay the same.
///
/// What it follows is not part of a trainer's saved state: a resumed run begins to average anew.
public final class AdaLoraBudget implements GradTransform, Consumer<StepMetrics> {
    private final AdaLora method;
    private final Map<AdaLoraLayer, Importance> importances = new LinkedHashMap<>();
    private final int initial;
    private final int target;
    private long total;
    private boolean done;

    AdaLoraBudget(AdaLora method, Map<String, AdaLoraLayer> parts) {
        this.method = method;
        parts.values().forEach(part -> importances.put(part, new Importance(part)));
        initial = parts.values().stream().mapToInt(AdaLoraLayer::rank).sum();
        target = Math.min(initial, method.rank() * parts.size());
    }

    /// Moving averages of how much the entries of a tensor matter, |p·∂L/∂p|, and of how uncertain
    /// that is.
    private final class Average {
        private final Parameter parameter;
        private final double[] sensitivity;
        private final double[] uncertainty;

        Average(Parameter parameter) {
            this.parameter = parameter;
            sensitivity = new double[Math.toIntExact(parameter.size())];
            uncertainty = new double[sensitivity.length];
        }

        void update(Grads grads, double count) {
            var found = grads.find(parameter);
            if (found.isEmpty()) {
                return;
            }
            double[] g = found.get().toDoubles();
            double[] p = parameter.toDoubles();
            double b1 = method.sensitivityDecay();
            double b2 = method.uncertaintyDecay();
            for (int i = 0; i < p.length; i++) {
                double now = Math.abs(p[i] * g[i] / count);
                sensitivity[i] = b1 * sensitivity[i] + (1 - b1) * now;
                double off = Math.abs(now - sensitivity[i]);
                uncertainty[i] = b2 * uncertainty[i] + (1 - b2) * off;
            }
        }

        double score(int i) {
            return sensitivity[i] * uncertainty[i];
        }
    }

    /// How much the directions of one layer matter.
    private final class Importance {
        private final Average down;
        private final Average values;
        private final Average up;
        private final int rank;

        Importance(AdaLoraLayer part) {
            down = new Average(part.down());
            values = new Average(part.values());
            up = new Average(part.up());
            rank = part.rank();
        }

        void update(Grads grads, double count) {
            down.update(grads, count);
            values.update(grads, count);
            up.update(grads, count);
        }

        /// Returns the score of a direction: that of its value, and the means of its vectors.
        double score(int k) {
            int in = rank == 0 ? 0 : down.sensitivity.length / rank;
            int out = rank == 0 ? 0 : up.sensitivity.length / rank;
            double right = 0;
            for (int j = 0; j < in; j++) {
                right += down.score(k * in + j) / in;
            }
            double left = 0;
            for (int i = 0; i < out; i++) {
                left += up.score(i * rank + k) / out;
            }
            return values.score(k) + right + left;
        }
    }

    private record Direction(AdaLoraLayer part, int index, double score) {}

    /// Returns how many directions all layers together may have after a step.
    ///
    /// @param steps how many steps there are in all
    public int budget(long step, long steps) {
        if (step <= method.warmup()) {
            return initial;
        }
        long last = steps - method.finish();
        if (step >= last) {
            return target;
        }
        double left = 1 - (double) (step - method.warmup()) / (last - method.warmup());
        return (int) ((initial - target) * left * left * left + target);
    }

    @Override
    public Grads apply(Grads grads, double count, Step step) {
        total = step.total();
        if (total - method.finish() <= method.warmup()) {
            throw new PanagradException(
                    "adalora",
                    "no steps between warm-up and finish",
                    total + " steps, warm-up " + method.warmup() + ", finish " + method.finish(),
                    "warm-up + finish < steps",
                    "set trainer.steps(n), or shorten warm-up and finish");
        }
        if (!done) {
            importances.values().forEach(importance -> importance.update(grads, count));
        }
        return grads;
    }

    @Override
    public void accept(StepMetrics metrics) {
        long step = metrics.step();
        if (done || step <= method.warmup()) {
            return;
        }
        done = step >= total - method.finish();
        if (done || step % method.every() == 0) {
            Map<AdaLoraLayer, boolean[]> kept = best(budget(step, total));
            kept.forEach(AdaLoraLayer::silence);
            if (done) {
                kept.forEach(AdaLoraLayer::cut);
            }
        }
    }

    /// Chooses the directions with the highest scores.
    private Map<AdaLoraLayer, boolean[]> best(int count) {
        List<Direction> all = new ArrayList<>();
        var kept = new LinkedHashMap<AdaLoraLayer, boolean[]>();
        importances.forEach((part, importance) -> {
            kept.put(part, new boolean[part.rank()]);
            for (int k = 0; k < part.rank(); k++) {
                all.add(new Direction(part, k, importance.score(k)));
            }
        });
        all.sort(Comparator.comparingDouble(Direction::score).reversed());
        for (Direction d : all.subList(0, count)) {
            boolean[] of = kept.get(d.part);
            if (of != null) {
                of[d.index] = true;
            }
        }
        return kept;
    }
}
