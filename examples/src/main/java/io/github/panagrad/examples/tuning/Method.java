package io.github.panagrad.examples.tuning;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.adapters.LargestGradients;
import io.github.panagrad.adapters.Lora;
import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.Optimizer;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Step;
import java.nio.file.Path;
import java.util.List;

/// What of a model is trained.
public sealed interface Method {
    /// Every linear layer of attention and feed-forward.
    List<String> ALL_LINEAR =
            List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");

    /// Makes the model ready to be trained in this way.
    Prepared prepare(CausalLM model, long seed);

    /// A model made ready.
    interface Prepared {
        /// Settles what only the optimizer and some data can; called once, before the first step.
        ///
        /// @param batches the batches that the choice is made by
        default void select(
                Optimizer optimizer, Objective<Batch> objective, Iterable<Batch> batches) {}

        /// Writes the result to a folder.
        void save(Path folder);

        /// Says in a few words what is trained.
        String describe();
    }

    /// Trains every parameter.
    record Full() implements Method {
        @Override
        public Prepared prepare(CausalLM model, long seed) {
            widen(model);
            return new Whole(model, "all of %,d parameters".formatted(model.trainableCount()));
        }
    }

    /// Trains low-rank detours around linear layers and leaves the model as it is.
    ///
    /// @param lora rank, alpha and dropout
    /// @param targets names of layers such as `q_proj`, or patterns over their paths
    record LowRank(Lora lora, List<String> targets) implements Method {
        @Override
        public Prepared prepare(CausalLM model, long seed) {
            long whole = model.parameterCount();
            Adapter adapter = lora.seed(seed).attach(model, pattern());
            return new Prepared() {
                @Override
                public void save(Path folder) {
                    adapter.save(folder);
                }

                @Override
                public String describe() {
                    return "LoRA of rank %d on %d layers, %,d parameters beside %,d"
                            .formatted(
                                    lora.rank(),
                                    adapter.targets().size(),
                                    model.trainableCount(),
                                    whole);
                }
            };
        }

        private PathPattern pattern() {
            return PathPattern.anyOf(
                    targets.stream()
                            .map(name -> name.matches("\\w+") ? "**." + name : name)
                            .toList());
        }
    }

    /// Trains the entries with the largest gradients over the first batches, and nothing else.
    ///
    /// @param density the share of all entries that train
    record Sparse(double density) implements Method {
        @Override
        public Prepared prepare(CausalLM model, long seed) {
            widen(model);
            return new SparseEntries(model, density, seed);
        }
    }

    private static void widen(CausalLM model) {
        model.to(DType.F32);
        model.unfreeze();
    }

    /// A model that is trained itself.
    record Whole(CausalLM model, String describe) implements Prepared {
        @Override
        public void save(Path folder) {
            model.save(folder);
        }
    }

    /// A model of which single entries are trained.
    final class SparseEntries implements Prepared {
        private final CausalLM model;
        private final double density;
        private final long seed;
        private long live;

        private SparseEntries(CausalLM model, double density, long seed) {
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
        public void save(Path folder) {
            model.save(folder);
        }

        @Override
        public String describe() {
            return live == 0
                    ? "%s of %,d parameters".formatted(percent(), model.trainableCount())
                    : "%,d of %,d parameters".formatted(live, model.trainableCount());
        }

        private String percent() {
            return 100 * density + " %";
        }
    }
}
