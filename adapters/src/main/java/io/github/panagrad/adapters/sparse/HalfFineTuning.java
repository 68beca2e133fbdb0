package io.github.panagrad.adapters.sparse;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.optim.Optimizer;
import io.github.panagrad.nn.optim.ParamMask;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives;
import java.util.HashSet;

/// Trains another half of a model in each round (half fine-tuning, HFT).
///
/// What does not train in a round is frozen: no product computes its gradient, nothing is remembered
/// of it, and it keeps its bits. A parameter that trains again begins with fresh moments.
///
/// ```java
/// var optimizer = AdamW.of(model.trainable());
/// var half = HalfFineTuning.of(model.selection(), optimizer, HalfSelection.category(0.5, seed));
/// Trainer.of(model, optimizer, half.eachEpoch(Objectives.nextToken(model)))…
/// ```
///
/// Source: Hui et al., ACL 2025, arXiv 2404.18466.
public final class HalfFineTuning {
    private final ParamSelection all;
    private final Optimizer optimizer;
    private final HalfSelection half;
    private int round;
    private ParamSelection live;

    private HalfFineTuning(ParamSelection all, Optimizer optimizer, HalfSelection half) {
        this.all = all;
        this.optimizer = optimizer;
        this.half = half;
        this.live = half.draw(all, 0);
        apply();
    }

    /// Begins with round 0.
    ///
    /// @param all what is drawn from
    /// @param optimizer for all of these parameters
    /// @throws PanagradException if the optimizer has not all of them
    public static HalfFineTuning of(ParamSelection all, Optimizer optimizer, HalfSelection half) {
        return new HalfFineTuning(all, optimizer, half);
    }

    /// Goes on with the half of another round; between two steps.
    ///
    /// A stage, such as a task of a sequence, is a round that its trainer does not change.
    public void round(int number) {
        if (number < 0) {
            throw new PanagradException("half", "round out of range", "" + number, ">= 0", "");
        }
        if (number != round) {
            round = number;
            live = half.draw(all, number);
            apply();
        }
    }

    private void apply() {
        var trained = new HashSet<Parameter>(live.parameters());
        for (Parameter parameter : all.parameters()) {
            boolean on = trained.contains(parameter);
            parameter.trainable(on);
            optimizer.mask(
                    parameter, on ? ParamMask.all(parameter.shape().intSize()) : ParamMask.none());
        }
    }

    /// Returns what trains in the round that is on.
    public ParamSelection live() {
        return live;
    }

    /// Begins a round with every pass over the data; a resumed run finds its round again.
    public <B> Objective<B> eachEpoch(Objective<B> objective) {
        return Objectives.beforeEach(step -> round(step.epoch()), objective);
    }

    /// Begins a round every so many steps; a resumed run finds its round again.
    public <B> Objective<B> each(long steps, Objective<B> objective) {
        if (steps < 1) {
            throw new PanagradException(
                    "half", "steps of a round out of range", "" + steps, "at least 1", "");
        }
        return Objectives.beforeEach(
                step -> round(Math.toIntExact((step.number() - 1) / steps)), objective);
    }
}
