package io.github.panagrad.examples.demo;

import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.optim.Schedule;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Trainer;

/// How all arms of a demonstration train a language model: AdamW, gradients clipped at norm 1, the rate
/// rising for a tenth of the steps and falling to zero along a cosine.
///
/// @param steps how many steps
/// @param rows rows, or groups of them, a step
/// @param lr the learning rate
record TextTraining(int steps, int rows, double lr) {
    /// Trains what is trainable.
    ///
    /// @param data batches over the data, grouped or not
    /// @param seed decides order and what the objective draws
    void run(CausalLM model, Objective<Batch> objective, Batches data, long seed) {
        Trainer.of(model, AdamW.of(model.trainable()).lr(lr), objective)
                .steps(steps)
                .seed(seed)
                .maxGradNorm(1)
                .schedule(Schedule.cosine().warmupShare(0.1))
                .run(BatchSource.of(data.size(rows).shuffled(seed)));
    }
}
