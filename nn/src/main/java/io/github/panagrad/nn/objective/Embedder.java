package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.models.BertInput;

/// Turns rows of tokens into a vector each: `embedder::embed`, `classifier::features`, or pooled
/// states of a decoder.
@FunctionalInterface
public interface Embedder {
    /// Computes the vectors. Shapes: ids (B, T) → (B, C).
    Tensor embed(BertInput input, Context context);
}
