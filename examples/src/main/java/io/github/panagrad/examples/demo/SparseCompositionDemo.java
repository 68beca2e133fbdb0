package io.github.panagrad.examples.demo;

import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.sparse.LotteryTicket;
import io.github.panagrad.adapters.sparse.SparseFineTuner;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.optim.Schedule;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Evaluator;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Fine-tunes a model on two texts, apart from each other, adds both changes of the weights, and asks how
/// much of each gain the sum keeps: with sparse changes (LT-SFT, arXiv 2110.07560) and with dense ones.
///
/// @param model the folder of a language model
/// @param first a text
/// @param second another one
/// @param density the share of the entries that the sparse changes have
/// @param steps steps of each phase
/// @param batch rows a step
/// @param lr the learning rate, of all arms
public record SparseCompositionDemo(
        Path model, Task first, Task second, double density, int steps, int batch, double lr) {
    /// A text to fine-tune on, and a part of it that is only measured on.
    public record Task(String name, Dataset train, Dataset heldOut) {}

    /// What came of an arm: losses on the held-out parts of both texts.
    ///
    /// @param density the share of the entries that a change has, 1 for dense ones
    /// @param untouched of the untouched model, on either text
    /// @param own of the model tuned on the text itself
    /// @param other of the model tuned on the other text
    /// @param sum of the model with both changes
    public record Arm(
            double density, double[] untouched, double[] own, double[] other, double[] sum) {
        /// Returns the share of the gain on a text that the sum keeps: 1 is all, below 0 is a loss.
        public double kept(int text) {
            return (untouched[text] - sum[text]) / (untouched[text] - own[text]);
        }
    }

    /// Trains the sparse arm and the dense one, on the same data and steps.
    public List<Arm> run(long seed) {
        return List.of(arm(density, seed), arm(1, seed));
    }

    private Arm arm(double share, long seed) {
        Delta one = tuned(first, share, seed);
        Delta two = tuned(second, share, seed);
        double[] alone = losses(one);
        double[] others = losses(two);
        return new Arm(
                share,
                losses(Delta.of(Map.of())),
                new double[] {alone[0], others[1]},
                new double[] {others[0], alone[1]},
                losses(one.plus(two)));
    }

    private Delta tuned(Task task, double share, long seed) {
        CausalLM fresh = CausalLM.load(model);
        var data = BatchSource.of(Batches.of(task.train).size(batch).shuffled(seed));
        Objective<Batch> objective = Objectives.nextToken(fresh);
        if (share == 1) {
            // With all entries chosen, the first phase has nothing to find out.
            var before = Delta.snapshot(fresh);
            trainer(fresh, fresh.trainable(), objective, seed).run(data);
            return Delta.difference(before, fresh.stateDict());
        }
        return SparseFineTuner.of(fresh, fresh.selection(), LotteryTicket.density(share))
                .train(
                        objective,
                        data,
                        (parameters, goal) -> trainer(fresh, parameters, goal, seed));
    }

    private Trainer<Batch> trainer(
            CausalLM fresh, List<Parameter> parameters, Objective<Batch> objective, long seed) {
        return Trainer.of(fresh, AdamW.of(parameters).lr(lr).weightDecay(0), objective)
                .steps(steps)
                .maxGradNorm(1)
                .schedule(Schedule.cosine().warmupShare(0.1))
                .seed(seed);
    }

    private double[] losses(Delta delta) {
        CausalLM base = CausalLM.load(model);
        delta.apply(base);
        var losses = new ArrayList<Double>();
        for (Task task : List.of(first, second)) {
            losses.add(Evaluator.of(base).run(Batches.of(task.heldOut).size(batch)).loss());
        }
        return losses.stream().mapToDouble(d -> d).toArray();
    }
}
