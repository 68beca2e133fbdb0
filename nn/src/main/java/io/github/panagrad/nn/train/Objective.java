package io.github.panagrad.nn.train;

/// What training makes small.
///
/// An objective holds the models that it needs; the trainer knows none of them.
///
/// @param <B> the class of a batch
@FunctionalInterface
public interface Objective<B> {
    /// Computes the loss of a batch.
    LossTerm loss(B batch, Step step);

    /// Tells whether the loss of a step depends only on its rows, not on how they were batched.
    /// False for losses that compare the rows of a batch with each other.
    default boolean isAccumulationInvariant() {
        return true;
    }
}
