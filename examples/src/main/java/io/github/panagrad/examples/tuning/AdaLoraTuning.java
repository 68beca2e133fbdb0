package io.github.panagrad.examples.tuning;

import io.github.panagrad.adapters.AdaLora;
import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.examples.task.Task;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Path;
import java.util.List;

/// Trains low-rank detours whose ranks go to the layers that need them.
///
/// @param method the method
public record AdaLoraTuning(AdaLora method) implements Method {
    @Override
    public double usualLr() {
        return 2e-3;
    }

    @Override
    public Prepared prepare(Task<?> task, long seed) {
        Module model = task.model();
        Adapter adapter = method.seed(seed).attach(model, AdapterTuning.layers(task, List.of()));
        AdapterTuning.trainHeads(adapter, task);
        String text =
                "AdaLoRA on %d layers, %,d parameters"
                        .formatted(adapter.targets().size(), model.trainableCount());
        return new Prepared() {
            @Override
            public Adapter adapter() {
                return adapter;
            }

            @Override
            public <B> Objective<B> objective(Objective<B> objective) {
                return AdaLora.regularized(objective, adapter);
            }

            @Override
            public <B> void attend(Trainer<B> trainer) {
                var budget = AdaLora.budget(adapter);
                trainer.transform(budget).onStep(budget);
            }

            @Override
            public void save(Path folder) {
                adapter.save(folder);
                task.saveBeside(folder);
            }

            @Override
            public String describe() {
                return text;
            }
        };
    }
}
