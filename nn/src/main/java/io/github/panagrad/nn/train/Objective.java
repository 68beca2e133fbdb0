package io.github.panagrad.nn.train;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import java.util.Map;

/// What training makes small.
///
/// An objective holds the models that it needs; the trainer knows none of them.
///
/// @param <B> the class of a batch
@FunctionalInterface
public interface Objective<B> {
    /// Computes the loss of a batch.
    LossTerm loss(B batch, Step step);

    /// Tells whether the loss of a step depends only on its rows, not on how they were batched.
    /// False for losses that compare the rows of a batch with each other.
    default boolean isAccumulationInvariant() {
        return true;
    }

    /// Returns what the objective remembers from step to step, such as a teacher's weights, by name;
    /// the trainer saves it with the state of the run.
    default Map<String, Tensor> state() {
        return Map.of();
    }

    /// Takes over what [#state] returned when the run was saved.
    ///
    /// @throws io.github.panagrad.engine.ground.PanagradException if it does not fit
    default void load(Map<String, Tensor> state) {
        if (!state.isEmpty()) {
            throw new PanagradException(
                    "objective",
                    "state of another objective",
                    String.join(", ", state.keySet().stream().limit(3).toList()),
                    "none",
                    "resume with the objective that the run began with");
        }
    }

    /// Returns the same objective, which remembers something more with the state of a run.
    ///
    /// @param name sets it apart from what the objective itself and others remember
    default Objective<B> remembering(String name, Memory memory) {
        return new Remembering<>(this, name, memory);
    }
}
