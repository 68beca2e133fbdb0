package io.github.panagrad.examples.demo;

import io.github.panagrad.adapters.sparse.HalfFineTuning;
import io.github.panagrad.adapters.sparse.HalfSelection;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.optim.Schedule;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Evaluator;
import io.github.panagrad.nn.train.Objectives;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Fine-tunes a model on several texts in sequence, all parameters at once and half of them a text (HFT,
/// arXiv 2404.18466), and asks what is left of the texts before, and of what it knew at first.
///
/// @param model the folder of a language model
/// @param tasks the texts, in order
/// @param control held-out text of the kind that the model was made for
/// @param steps steps a text
/// @param batch rows a step
/// @param lr the learning rate, of both arms
public record HalfTuningDemo(
        Path model,
        List<SparseCompositionDemo.Task> tasks,
        Dataset control,
        int steps,
        int batch,
        double lr) {
    /// What came of an arm.
    ///
    /// @param half whether half of the parameters trained at a time
    /// @param losses after each stage, on the held-out parts of all texts and on the control
    /// @param seconds that training took
    public record Arm(boolean half, double[][] losses, double seconds) {
        /// Returns the mean loss on the earlier texts and the control at the end: what is forgotten.
        public double before() {
            double[] end = losses[losses.length - 1];
            double sum = end[end.length - 1];
            for (int i = 0; i < end.length - 2; i++) {
                sum += end[i];
            }
            return sum / (end.length - 1);
        }

        /// Returns the loss on the last text at the end.
        public double last() {
            double[] end = losses[losses.length - 1];
            return end[end.length - 2];
        }
    }

    /// Trains both arms on the same data, steps and seed, the plain one first.
    public List<Arm> run(long seed) {
        return List.of(arm(false, seed), arm(true, seed));
    }

    private Arm arm(boolean half, long seed) {
        CausalLM tuned = CausalLM.load(model);
        var losses = new ArrayList<double[]>();
        double seconds = 0;
        for (int stage = 0; stage < tasks.size(); stage++) {
            AdamW optimizer = AdamW.of(tuned.selection().parameters()).lr(lr).weightDecay(0);
            if (half) {
                HalfFineTuning.of(tuned.selection(), optimizer, HalfSelection.category(0.5, seed))
                        .round(stage);
            }
            var data =
                    BatchSource.of(Batches.of(tasks.get(stage).train()).size(batch).shuffled(seed));
            double[] spent = {0};
            Trainer<Batch> trainer =
                    Trainer.of(tuned, optimizer, Objectives.nextToken(tuned))
                            .steps(steps)
                            .maxGradNorm(1)
                            .schedule(Schedule.cosine().warmupShare(0.1))
                            .onStep(m -> spent[0] += m.seconds())
                            .seed(seed);
            trainer.run(data);
            seconds += spent[0];
            losses.add(measured(tuned));
        }
        return new Arm(half, losses.toArray(double[][]::new), seconds);
    }

    private double[] measured(CausalLM tuned) {
        var sets = new ArrayList<Dataset>();
        tasks.forEach(task -> sets.add(task.heldOut()));
        sets.add(control);
        return sets.stream()
                .mapToDouble(set -> Evaluator.of(tuned).run(Batches.of(set).size(batch)).loss())
                .toArray();
    }
}
