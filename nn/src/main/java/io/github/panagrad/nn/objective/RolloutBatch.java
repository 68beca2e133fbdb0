package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.data.Batch;

/// Sampled answers and how good they were.
///
/// @param batch the answers behind their prompts, prompts ignored
/// @param advantages how much better than expected each answer was, in the order of
///     [Batch#sequences]
/// @param sampled the log-probability that each token of the answers had when it was sampled, in the
///     order of [Answers#owners]
public record RolloutBatch(Batch batch, double[] advantages, double[] sampled) {
    /// Checks that the numbers fit the batch.
    public RolloutBatch {
        if (advantages.length != batch.sequences().size() || sampled.length != batch.predicted()) {
            throw new PanagradException(
                    "rollouts",
                    "numbers and batch do not fit",
                    advantages.length + " advantages and " + sampled.length + " log-probabilities",
                    batch.sequences().size() + " and " + batch.predicted(),
                    "");
        }
    }
}
