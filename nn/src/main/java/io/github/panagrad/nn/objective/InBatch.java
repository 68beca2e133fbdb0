package io.github.panagrad.nn.objective;

import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Step;

/// An objective that compares the rows of a batch: eight batches of one row are not one of eight.
///
/// @param term computes the loss
/// @param <B> the class of a batch
record InBatch<B>(Objective<B> term) implements Objective<B> {
    @Override
    public LossTerm loss(B batch, Step step) {
        return term.loss(batch, step);
    }

    @Override
    public boolean isAccumulationInvariant() {
        return false;
    }
}
