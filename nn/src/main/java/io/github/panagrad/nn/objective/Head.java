package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.Step;

/// What a teacher says of the predicted tokens, not yet as logits.
///
/// @param states hidden states (N, C)
/// @param weight of the head (V, C)
record Head(Tensor states, Tensor weight) {
    /// Asks a teacher.
    ///
    /// @throws PanagradException if no token is predicted
    static Head ask(Teacher<CausalLM> teacher, Step step, Batch batch, Answers answers) {
        if (batch.predicted() == 0) {
            throw new PanagradException(
                    "distill", "no token is predicted", batch.toString(), "at least one label", "");
        }
        return teacher.ask(
                step,
                model ->
                        new Head(
                                answers.states(model.hidden(batch, Context.EMPTY)),
                                model.head().detach()));
    }
}
