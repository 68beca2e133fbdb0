package io.github.panagrad.examples.tuning;

import io.github.panagrad.adapters.AdaLora;
import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;

/// Trains low-rank detours whose ranks go to the layers that need them.
///
/// @param method the method
public record AdaLoraTuning(AdaLora method) implements Method {
    @Override
    public double usualLr() {
        return 2e-3;
    }

    @Override
    public Prepared prepare(CausalLM model, long seed, Supplier<List<Batch>> first) {
        var targets =
                PathPattern.anyOf(
                        AdapterTuning.ALL_LINEAR.stream().map(name -> "**." + name).toList());
        Adapter adapter = method.seed(seed).attach(model, targets);
        String text =
                "AdaLoRA on %d layers, %,d parameters"
                        .formatted(adapter.targets().size(), model.trainableCount());
        return new Prepared() {
            @Override
            public Adapter adapter() {
                return adapter;
            }

            @Override
            public Objective<Batch> objective(Objective<Batch> objective) {
                return AdaLora.regularized(objective, adapter);
            }

            @Override
            public void attend(Trainer<Batch> trainer) {
                var budget = AdaLora.budget(adapter);
                trainer.transform(budget).onStep(budget);
            }

            @Override
            public void save(Path folder) {
                adapter.save(folder);
            }

            @Override
            public String describe() {
                return text;
            }
        };
    }
}
