package io.github.panagrad.examples.tuning;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.adapters.MaskTuning;
import io.github.panagrad.adapters.sparse.GradientDropout;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.examples.task.Task;
import io.github.panagrad.nn.ParamCategory;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Trains which weights of frozen layers are switched off.
///
/// @param masks the settings of the masks
/// @param targets names of layers such as `q_proj`, or patterns over their paths; empty for all linear
///     layers of attention
/// @param dropout λ of the gradient dropout against forgetting what the model without masks says; 0
///     for none
public record MaskedWeights(MaskTuning masks, List<String> targets, double dropout)
        implements Method {
    @Override
    public double usualLr() {
        return 5e-4;
    }

    @Override
    public Prepared prepare(Task<?> task, long seed) {
        return prepared(task);
    }

    private <T> Prepared prepared(Task<T> task) {
        List<String> attention =
                task.layers(
                        ParamCategory.ATTN_Q,
                        ParamCategory.ATTN_K,
                        ParamCategory.ATTN_V,
                        ParamCategory.ATTN_O);
        PathPattern layers =
                targets.isEmpty()
                        ? PathPattern.anyOf(attention)
                        : AdapterTuning.layers(task, targets);
        Adapter adapter = masks.attach(task.model(), layers);
        long weights = task.model().trainableCount();
        AdapterTuning.trainHeads(adapter, task);
        @Nullable GradientDropout<T> regularizer = null;
        if (dropout != 0) {
            Objective<T> divergence = task.divergence(adapter);
            if (divergence == null) {
                throw new PanagradException(
                        "method",
                        "gradient dropout compares what a model says with what it said before",
                        "vectors or numbers",
                        "text or labels",
                        "leave the setting dropout out");
            }
            regularizer = new GradientDropout<>(dropout, adapter.parameters().values(), divergence);
        }
        return new Masked<>(task, adapter, regularizer, weights);
    }

    /// @param weights how many there are masks for
    /// @param <T> the class of the task's batches
    private record Masked<T>(
            Task<T> task, Adapter adapter, @Nullable GradientDropout<T> regularizer, long weights)
            implements Prepared {
        @Override
        @SuppressWarnings("unchecked") // the objective is the task's
        public <B> Objective<B> objective(Objective<B> objective) {
            Objective<B> watched =
                    regularizer == null
                            ? objective
                            : (Objective<B>) regularizer.watching((Objective<T>) objective);
            return MaskTuning.regularized(watched, adapter);
        }

        @Override
        public <B> void attend(Trainer<B> trainer) {
            if (regularizer != null) {
                trainer.transform(regularizer);
            }
        }

        @Override
        public void save(Path folder) {
            adapter.save(folder);
            task.saveBeside(folder);
        }

        @Override
        public String describe() {
            return String.format(
                    Locale.ROOT,
                    "masks of %,d weights in %d layers, %.2f %% off",
                    weights,
                    adapter.targets().size(),
                    100 * MaskTuning.shareOff(adapter));
        }
    }
}
