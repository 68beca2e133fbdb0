package io.github.panagrad.examples.tuning;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.adapters.MaskTuning;
import io.github.panagrad.adapters.sparse.GradientDropout;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.examples.task.LanguageTask;
import io.github.panagrad.examples.task.Task;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.Distill;
import io.github.panagrad.nn.objective.Teacher;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/// Trains which weights of frozen layers are switched off.
///
/// @param masks the settings of the masks
/// @param targets names of layers such as `q_proj`, or patterns over their paths
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
        if (!(task instanceof LanguageTask language)) {
            throw new PanagradException(
                    "method",
                    "masks are held to what a language model said before",
                    "an encoder",
                    "a language model",
                    "choose another method");
        }
        CausalLM model = language.model();
        Adapter adapter = masks.attach(model, AdapterTuning.layers(task, targets));
        var regularizer =
                new GradientDropout<>(
                        dropout,
                        adapter.parameters().values(),
                        Distill.of(model, Teacher.adapterOff(model, adapter::enabled))
                                .weights(0, 1));
        return new Prepared() {
            @Override
            public Adapter adapter() {
                return adapter;
            }

            @Override
            @SuppressWarnings("unchecked") // batches of a language task are of this class
            public <B> Objective<B> objective(Objective<B> objective) {
                Objective<Batch> watched = regularizer.watching((Objective<Batch>) objective);
                return (Objective<B>) MaskTuning.regularized(watched, adapter);
            }

            @Override
            public <B> void attend(Trainer<B> trainer) {
                trainer.transform(regularizer);
            }

            @Override
            public void save(Path folder) {
                adapter.save(folder);
            }

            @Override
            public String describe() {
                return String.format(
                        Locale.ROOT,
                        "masks of %,d weights in %d layers, %.2f %% off",
                        model.trainableCount(),
                        adapter.targets().size(),
                        100 * MaskTuning.shareOff(adapter));
            }
        };
    }
}
