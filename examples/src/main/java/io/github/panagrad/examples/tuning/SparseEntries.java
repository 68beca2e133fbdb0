package io.github.panagrad.examples.tuning;

import io.github.panagrad.adapters.LargestGradients;
import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.Optimizer;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Step;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;

/// Trains the entries with the largest gradients over the first batches, and nothing else.
///
/// @param density the share of all entries that train
public record SparseEntries(double density) implements Method {
    @Override
    public double usualLr() {
        return 1e-3;
    }

    @Override
    public Prepared prepare(CausalLM model, long seed, Supplier<List<Batch>> first) {
        model.to(DType.F32);
        model.unfreeze();
        return new Chosen(model, density, seed);
    }

    private static final class Chosen implements Prepared {
        private final CausalLM model;
        private final double density;
        private final long seed;
        private long live;

        private Chosen(CausalLM model, double density, long seed) {
            this.model = model;
            this.density = density;
            this.seed = seed;
        }

        @Override
        public void select(
                Optimizer optimizer, Objective<Batch> objective, Iterable<Batch> batches) {
            var largest = new LargestGradients(optimizer.parameters());
            Rng rng = Rng.of(seed);
            for (Batch batch : batches) {
                Ops.scope(() -> {
                    Step step = new Step(0, 0, 0, Context.of(rng));
                    Grads grads = objective.loss(batch, step).sum().backward();
                    largest.add(grads);
                });
            }
            largest.masks(density)
                    .forEach((parameter, mask) -> {
                        optimizer.mask(parameter, mask);
                        live += mask.count();
                    });
        }

        @Override
        public long trained(CausalLM of) {
            return live == 0 ? Math.round(density * of.trainableCount()) : live;
        }

        @Override
        public void save(Path folder) {
            model.save(folder);
        }

        @Override
        public String describe() {
            return live == 0
                    ? "%s of %,d parameters".formatted(100 * density + " %", model.trainableCount())
                    : "%,d of %,d parameters".formatted(live, model.trainableCount());
        }
    }
}
