package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.InputCorruption;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Step;
import java.util.Map;

/// Learns from inputs with tokens of the answer masked or replaced, the labels staying clean; any
/// objective can be trained so.
///
/// Source: Masked Thought, arXiv 2403.02178, section 2.
///
/// @param objective what is learnt
/// @param corruption what befalls the inputs
public record MaskedThought(Objective<Batch> objective, InputCorruption corruption)
        implements Objective<Batch> {
    @Override
    public LossTerm loss(Batch batch, Step step) {
        double rate = corruption.rateAt(step.number() - 1, step.total());
        return objective.loss(corruption.corrupt(batch, step.epoch(), rate), step);
    }

    @Override
    public boolean isAccumulationInvariant() {
        return objective.isAccumulationInvariant();
    }

    @Override
    public Map<String, Tensor> state() {
        return objective.state();
    }

    @Override
    public void load(Map<String, Tensor> state) {
        objective.load(state);
    }
}
