package io.github.panagrad.examples.catalog;

import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.Objective;

/// Makes an objective for a model.
@FunctionalInterface
public interface ObjectiveMaker {
    /// Returns the objective over the model's next tokens.
    Objective<Batch> on(CausalLM model);
}
