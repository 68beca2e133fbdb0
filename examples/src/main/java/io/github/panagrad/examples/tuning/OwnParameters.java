package io.github.panagrad.examples.tuning;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.examples.task.Task;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ParamSelection;
import java.nio.file.Path;
import java.util.function.UnaryOperator;

/// Trains some of the model's own parameters and leaves the others as they are.
///
/// @param what which ones, in a word or two
/// @param choice chooses them
/// @param usualLr a learning rate for them
public record OwnParameters(String what, UnaryOperator<ParamSelection> choice, double usualLr)
        implements Method {
    @Override
    public Prepared prepare(Task<?> task, long seed) {
        Module model = task.model();
        model.to(DType.F32);
        model.freeze();
        ParamSelection chosen = choice.apply(task.selection());
        if (chosen.size() == 0) {
            throw new PanagradException(
                    "method",
                    "the model has no " + what,
                    "",
                    "a model that has some",
                    "choose another method");
        }
        chosen.parameters().forEach(p -> p.trainable(true));
        task.heads().forEach(head -> model.module(head).unfreeze());
        String text =
                "%s: %,d of %,d parameters"
                        .formatted(what, model.trainableCount(), model.parameterCount());
        return new Prepared() {
            @Override
            public void save(Path folder) {
                task.save(folder);
            }

            @Override
            public String describe() {
                return text;
            }
        };
    }
}
