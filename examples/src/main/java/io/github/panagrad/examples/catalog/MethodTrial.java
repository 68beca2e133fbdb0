package io.github.panagrad.examples.catalog;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.examples.task.Goal;
import io.github.panagrad.examples.task.LanguageTask;
import io.github.panagrad.examples.tuning.Method;
import io.github.panagrad.examples.tuning.Rehearsal;
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
import io.github.panagrad.nn.train.Phases;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Path;
import java.util.List;
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
        LanguageTask task = task(fresh);
        Method.Prepared prepared;
        try {
            prepared = method.prepare(task, seed);
        } catch (PanagradException nothingToTrain) {
            return null;
        }
        double loss = training == null ? Double.NaN : train(task, method, prepared);
        long trained = prepared.trained(fresh);
        Adapter adapter = prepared.adapter();
        return adapter == null
                ? new Result(trained, null, null, loss)
                : new Result(trained, merges(adapter), adapter.method().isPeft(), loss);
    }

    private double train(LanguageTask task, Method method, Method.Prepared prepared) {
        CausalLM fresh = task.model();
        double lr = method.usualLr();
        AdamW optimizer = AdamW.of(fresh.trainable()).lr(lr);
        prepared.groups(lr).forEach(optimizer::group);
        Objective<Batch> objective = prepared.objective(task.objective(prepared.adapter()));
        prepared.select(optimizer, objective, task.first());
        prepared.rehearse(
                new Rehearsal<>(
                        Phases.inMemory(),
                        objective,
                        task.batches(),
                        (parameters, goal, count) ->
                                trainer(fresh, AdamW.of(parameters).lr(lr), goal)
                                        .steps(count > 0 ? count : steps),
                        optimizer));
        Trainer<Batch> trainer = trainer(fresh, optimizer, objective).steps(steps);
        prepared.attend(trainer);
        trainer.run(task.batches());
        return heldOut(fresh);
    }

    private Trainer<Batch> trainer(CausalLM of, AdamW optimizer, Objective<Batch> objective) {
        return Trainer.of(of, optimizer, objective)
                .maxGradNorm(1)
                .schedule(Schedule.cosine().warmupShare(0.1))
                .seed(seed);
    }

    private double heldOut(CausalLM of) {
        return heldOut == null
                ? Double.NaN
                : Evaluator.of(of).run(Batches.of(heldOut).size(batchSize)).loss();
    }

    /// Returns the task; without data, one of a single row, for methods that look at some.
    private LanguageTask task(CausalLM of) {
        Dataset data =
                training == null
                        ? Dataset.of(
                                List.of(
                                        Example.of(
                                                new int[Math.min(8, of.config().maxPositions())])))
                        : training;
        return new LanguageTask(
                of,
                data,
                BatchSource.of(Batches.of(data).size(batchSize).shuffled(seed)),
                null,
                new Goal.Language(Goal.Data.TEXT, s -> Objectives.nextToken(s.model())),
                null);
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
