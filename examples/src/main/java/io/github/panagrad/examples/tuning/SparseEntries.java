package io.github.panagrad.examples.tuning;

import io.github.panagrad.adapters.sparse.LargestGradients;
import io.github.panagrad.adapters.sparse.MaskRule;
import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.examples.task.Task;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.optim.Optimizer;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Step;
import java.nio.file.Path;

/// Trains entries that a rule chooses, and nothing else.
///
/// @param density the share of all entries that train
/// @param choice the rule
public record SparseEntries(double density, Choice choice) implements Method {
    /// Which entries train.
    public enum Choice {
        /// Those with the largest gradients over the first batches.
        GRADIENT,
        /// The largest ones.
        MAGNITUDE,
        /// Any, drawn by the run's seed.
        RANDOM
    }

    @Override
    public double usualLr() {
        return 1e-3;
    }

    @Override
    public Prepared prepare(Task<?> task, long seed) {
        task.model().to(DType.F32);
        task.model().unfreeze();
        return new Chosen(task, density, choice, seed);
    }

    private static final class Chosen implements Prepared {
        private final Task<?> task;
        private final double density;
        private final Choice choice;
        private final long seed;
        private long live;

        private Chosen(Task<?> task, double density, Choice choice, long seed) {
            this.task = task;
            this.density = density;
            this.choice = choice;
            this.seed = seed;
        }

        @Override
        public <B> void select(Optimizer optimizer, Objective<B> objective, Iterable<B> batches) {
            MaskRule rule =
                    switch (choice) {
                        case GRADIENT -> gradients(optimizer, objective, batches);
                        case MAGNITUDE -> MaskRule.largestMagnitude();
                        case RANDOM -> MaskRule.random(seed);
                    };
            rule.chooseShare(optimizer.parameters(), density)
                    .forEach((parameter, mask) -> {
                        optimizer.mask(parameter, mask);
                        live += mask.count();
                    });
        }

        private <B> MaskRule gradients(
                Optimizer optimizer, Objective<B> objective, Iterable<B> batches) {
            var largest = new LargestGradients(optimizer.parameters());
            Rng rng = Rng.of(seed);
            for (B batch : batches) {
                Ops.scope(() -> {
                    Step step = new Step(0, 0, 0, Context.of(rng));
                    Grads grads = objective.loss(batch, step).sum().backward();
                    largest.add(grads);
                });
            }
            return largest;
        }

        @Override
        public long trained(Module of) {
            return live == 0 ? Math.round(density * of.trainableCount()) : live;
        }

        @Override
        public void save(Path folder) {
            task.save(folder);
        }

        @Override
        public String describe() {
            return live == 0
                    ? "%s of %,d parameters"
                            .formatted(100 * density + " %", task.model().trainableCount())
                    : "%,d of %,d parameters".formatted(live, task.model().trainableCount());
        }
    }
}
