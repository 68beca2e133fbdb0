package io.github.panagrad.examples.catalog;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.examples.tuning.Method;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.optim.Schedule;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Evaluator;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/// Tries a method on a model: how many parameters it trains, whether it merges, and what some steps of it
/// make of the loss on text it has not seen.
///
/// @param model folder of the model
/// @param training text to train on, or null for no steps
/// @param heldOut text to measure on, or null for no steps
/// @param steps how many steps
/// @param batchSize rows a step
/// @param seed of order and initial values
public record MethodTrial(
        Path model,
        @Nullable Dataset training,
        @Nullable Dataset heldOut,
        int steps,
        int batchSize,
        long seed) {
    private static final int SELECTION_BATCHES = 4;

    /// What came out.
    ///
    /// @param trained how many parameters were trained
    /// @param merges whether the result can be put into the weights; null where there is no adapter
    /// @param peft whether PEFT reads its files; null where there is no adapter
    /// @param loss the held-out loss afterwards, NaN without steps
    public record Result(
            long trained, @Nullable Boolean merges, @Nullable Boolean peft, double loss) {}

    /// Returns the held-out loss of the untouched model.
    public double untouched() {
        return heldOut(CausalLM.load(model));
    }

    /// Tries a method.
    ///
    /// @return null if the model has nothing that the method trains
    public @Nullable Result of(Method method) {
        CausalLM fresh = CausalLM.load(model);
        Method.Prepared prepared;
        try {
            prepared = method.prepare(fresh, seed, () -> first(fresh));
        } catch (PanagradException nothingToTrain) {
            return null;
        }
        double loss = training == null ? Double.NaN : train(fresh, method, prepared);
        long trained = prepared.trained(fresh);
        Adapter adapter = prepared.adapter();
        return adapter == null
                ? new Result(trained, null, null, loss)
                : new Result(trained, merges(adapter), adapter.method().isPeft(), loss);
    }

    private double train(CausalLM fresh, Method method, Method.Prepared prepared) {
        Dataset data = Objects.requireNonNull(training);
        double lr = method.usualLr();
        AdamW optimizer = AdamW.of(fresh.trainable()).lr(lr);
        prepared.groups(lr).forEach(optimizer::group);
        Objective<Batch> objective = prepared.objective(Objectives.nextToken(fresh));
        var source = BatchSource.of(Batches.of(data).size(batchSize).shuffled(seed).endless());
        Supplier<List<Batch>> first = () -> first(fresh);
        prepared.select(optimizer, objective, first.get());
        Trainer<Batch> trainer =
                Trainer.of(fresh, optimizer, objective)
                        .steps(steps)
                        .maxGradNorm(1)
                        .schedule(Schedule.cosine().warmupShare(0.1))
                        .seed(seed);
        prepared.attend(trainer);
        trainer.run(source);
        return heldOut(fresh);
    }

    private double heldOut(CausalLM of) {
        return heldOut == null
                ? Double.NaN
                : Evaluator.of(of).run(Batches.of(heldOut).size(batchSize)).loss();
    }

    private List<Batch> first(CausalLM of) {
        if (training == null) {
            int count = Math.min(8, of.config().maxPositions());
            var row = Example.of(new int[count]);
            return List.of(Batches.of(List.of(row)).size(1).iterator().next());
        }
        return StreamSupport.stream(
                        Batches.of(training).size(batchSize).shuffled(seed).spliterator(), false)
                .limit(SELECTION_BATCHES)
                .toList();
    }

    private static boolean merges(Adapter adapter) {
        try {
            adapter.merge();
            adapter.unmerge();
            return true;
        } catch (PanagradException cannot) {
            return false;
        }
    }
}
