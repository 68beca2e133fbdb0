package io.github.panagrad.adapters;

import io.github.panagrad.engine.Grads;
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
/// The adapter keeps what it follows; [AdaLora#regularized] saves it with a run, so that a resumed one
/// goes on bit for bit.
public final class AdaLoraBudget implements GradTransform, Consumer<StepMetrics> {
    private final AdaLora method;
    private final List<AdaLoraLayer> parts;
    private final int initial;
    private final int target;
    private long total;

    AdaLoraBudget(AdaLora method, Map<String, AdaLoraLayer> parts) {
        this.method = method;
        this.parts = List.copyOf(parts.values());
        initial = this.parts.stream().mapToInt(AdaLoraLayer::rank).sum();
        target = Math.min(initial, method.rank() * parts.size());
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
        parts.stream()
                .filter(part -> !part.isCut())
                .forEach(part -> part.importance().update(grads, count, method));
        return grads;
    }

    @Override
    public void accept(StepMetrics metrics) {
        long step = metrics.step();
        if (step <= method.warmup() || parts.stream().allMatch(AdaLoraLayer::isCut)) {
            return;
        }
        boolean last = step >= total - method.finish();
        if (last || step % method.every() == 0) {
            Map<AdaLoraLayer, boolean[]> kept = best(budget(step, total));
            kept.forEach(AdaLoraLayer::silence);
            if (last) {
                kept.forEach(AdaLoraLayer::cut);
            }
        }
    }

    /// Chooses the directions with the highest scores.
    private Map<AdaLoraLayer, boolean[]> best(int count) {
        List<Direction> all = new ArrayList<>();
        var kept = new LinkedHashMap<AdaLoraLayer, boolean[]>();
        for (AdaLoraLayer part : parts) {
            kept.put(part, new boolean[part.rank()]);
            for (int k = 0; k < part.rank(); k++) {
                all.add(new Direction(part, k, part.importance().score(k)));
            }
        }
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
