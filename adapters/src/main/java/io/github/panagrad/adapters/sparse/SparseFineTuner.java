package io.github.panagrad.adapters.sparse;

import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.delta.SparseDelta;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.optim.Optimizer;
import io.github.panagrad.nn.optim.ParamMask;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Penalty;
import io.github.panagrad.nn.train.Phases;
import io.github.panagrad.nn.train.RewindPoint;
import io.github.panagrad.nn.train.Trainer;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Fine-tunes the entries that full fine-tuning would change most, and makes a sparse change of the
/// weights of it that adds up with others (lottery-ticket sparse fine-tuning, LT-SFT).
///
/// A full phase trains everything; the entries that it moved furthest are chosen over all maskable
/// parameters together; all parameters go back to where they were, and a sparse phase trains the
/// chosen entries alone. What trains beside the maskable parameters, such as a task's head, goes
/// back too and then trains in full; it is no part of the change.
///
/// ```java
/// var tuner = SparseFineTuner.of(model, model.selection(), LotteryTicket.density(0.05));
/// Delta task = tuner.train(
///         Objectives.nextToken(model),
///         data,
///         (parameters, objective) ->
///                 Trainer.of(model, AdamW.of(parameters).lr(1e-3), objective).steps(200));
/// task.plus(language).apply(base);
/// ```
///
/// Source: Ansell et al., arXiv 2110.07560, and its published code; where that keeps more than K
/// entries on ties, or lets weight decay move entries outside of the mask, this does not.
public final class SparseFineTuner {
    /// Changes up to this are dropped, as in the published code.
    private static final double NEGLIGIBLE = 1e-7;

    private final Module model;
    private final ParamSelection maskable;
    private final LotteryTicket ticket;
    private final List<Parameter> trained;
    private final RewindPoint start;
    private final Map<Parameter, ParamMask> masks = new LinkedHashMap<>();
    private RewindPoint begin;
    private int done;

    /// Makes the trainer of a phase: its optimizer, schedule and length.
    ///
    /// @param <B> the class of a batch
    @FunctionalInterface
    public interface TrainerMaker<B> {
        /// Makes a new trainer with a new optimizer.
        ///
        /// @param parameters what the optimizer is for
        /// @param objective what it is to make small
        Trainer<B> make(List<Parameter> parameters, Objective<B> objective);
    }

    private SparseFineTuner(Module model, ParamSelection maskable, LotteryTicket ticket) {
        this.model = model;
        this.maskable = maskable;
        this.ticket = ticket;
        Set<Parameter> all = new LinkedHashSet<>(maskable.parameters());
        all.addAll(model.trainable());
        this.trained = List.copyOf(all);
        trained.forEach(p -> p.trainable(true));
        this.start = RewindPoint.of(trained);
        this.begin = start;
    }

    /// Begins with the values that the model has now, which the change will be to.
    ///
    /// @param maskable what the entries are chosen from, of the model; what else of the model is
    ///     trainable trains in full
    /// @throws PanagradException if there are fewer entries than are to be chosen
    public static SparseFineTuner of(Module model, ParamSelection maskable, LotteryTicket ticket) {
        if (ticket.count(maskable) > maskable.count()) {
            throw new PanagradException(
                    "sparse fine-tuning",
                    "more entries are to train than are maskable",
                    ticket.count(maskable) + " of " + maskable.count(),
                    "at most all of them",
                    "");
        }
        return new SparseFineTuner(model, maskable, ticket);
    }

    /// Trains full and sparse phases alike, in memory.
    ///
    /// @param data the batches of every phase
    /// @return the change, which is on the model
    public <B> Delta train(Objective<B> objective, BatchSource<B> data, TrainerMaker<B> each) {
        return train(objective, data, each, each);
    }

    /// Trains, in memory.
    ///
    /// @param data the batches of every phase
    /// @return the change, which is on the model
    public <B> Delta train(
            Objective<B> objective,
            BatchSource<B> data,
            TrainerMaker<B> full,
            TrainerMaker<B> sparse) {
        Phases phases = addTo(Phases.inMemory(), objective, data, full, sparse);
        if (phases.run().getLast().stopped()) {
            throw new PanagradException(
                    "sparse fine-tuning",
                    "a phase was stopped",
                    "",
                    "all phases run to their end",
                    "to stop and resume, use addTo(Phases.saved(…), …)");
        }
        return finish();
    }

    /// Adds its phases to a list, which may be one that is saved and resumed; afterwards [#finish].
    public <B> Phases addTo(
            Phases phases,
            Objective<B> objective,
            BatchSource<B> data,
            TrainerMaker<B> full,
            TrainerMaker<B> sparse) {
        addBeginningTo(phases, objective, data, full, sparse);
        return phases.then(() -> masked(sparse, objective), data);
    }

    /// Adds all its phases but the last sparse one, for which [#begin] prepares an optimizer and
    /// [#inSparsePhase] the objective.
    public <B> Phases addBeginningTo(
            Phases phases,
            Objective<B> objective,
            BatchSource<B> data,
            TrainerMaker<B> full,
            TrainerMaker<B> sparse) {
        for (int i = 0; i < ticket.iterations(); i++) {
            if (i > 0) {
                phases.then(() -> masked(sparse, objective), data);
            }
            phases.then(
                    () -> {
                        begin = RewindPoint.of(trained);
                        return full.make(trained, pulled(objective, ticket.l1Full()));
                    },
                    data);
        }
        return phases;
    }

    private <B> Trainer<B> masked(TrainerMaker<B> sparse, Objective<B> objective) {
        Trainer<B> trainer = sparse.make(trained, inSparsePhase(objective));
        begin(trainer.optimizer());
        return trainer;
    }

    /// Returns an objective with the pull of sparse phases towards the first values.
    public <B> Objective<B> inSparsePhase(Objective<B> objective) {
        return pulled(objective, ticket.l1Sparse());
    }

    /// Begins a sparse phase: chooses the entries that the full phase moved furthest, goes back to the
    /// values that it began with, and limits an optimizer to these entries.
    ///
    /// @param optimizer one that has not taken a step, for all that trains
    public void begin(Optimizer optimizer) {
        long all = ticket.count(maskable);
        long further = all * (done + 1) / ticket.iterations() - all * done / ticket.iterations();
        done++;
        choose(further);
        begin.rewind();
        masks.forEach(optimizer::mask);
    }

    private void choose(long further) {
        if (further > 0) {
            MaskRule.largestChange(begin.values())
                    .choose(maskable.parameters(), further, masks)
                    .forEach((p, mask) -> masks.merge(p, mask, ParamMask::or));
        }
    }

    private <B> Objective<B> pulled(Objective<B> objective, double lambda) {
        if (lambda == 0) {
            return objective;
        }
        double each = lambda / model.parameterCount();
        return Penalty.on(objective, "l1", each, this::distance);
    }

    private Tensor distance() {
        Tensor sum = null;
        for (Parameter p : maskable.parameters()) {
            Tensor origin = start.values().get(p);
            if (origin != null) {
                Tensor far = p.sub(origin).abs().sum();
                sum = sum == null ? far : sum.add(far);
            }
        }
        return sum == null ? Ops.zeros() : sum;
    }

    /// Returns which entries train, by parameter; empty until the first sparse phase has begun.
    public Map<Parameter, ParamMask> masks() {
        return Map.copyOf(masks);
    }

    /// Takes the change, and puts it on the values that training began with, so that the model is
    /// bit for bit what a file of the change makes of the base.
    ///
    /// @return the change of the maskable parameters, on the model; changes up to 1e-7 are dropped
    public Delta finish() {
        var changes = new LinkedHashMap<String, SparseDelta>();
        for (ParamSelection.Entry entry : maskable) {
            Parameter p = entry.parameter();
            Tensor origin = start.values().get(p);
            if (origin != null) {
                SparseDelta change =
                        Ops.noGrad(() ->
                                Ops.scope(
                                        () -> SparseDelta.of(p.detach().sub(origin), NEGLIGIBLE)));
                p.assign(origin);
                if (change.stored() > 0) {
                    changes.put(entry.path(), change);
                }
            }
        }
        var delta = Delta.of(changes);
        delta.apply(model);
        return delta;
    }
}
