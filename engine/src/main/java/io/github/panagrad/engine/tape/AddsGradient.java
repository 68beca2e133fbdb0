package io.github.panagrad.engine.tape;

import io.github.panagrad.engine.Tensor;
import org.jspecify.annotations.Nullable;

/// An op whose gradient is zero but for a few rows: where there is a gradient already, these are
/// added to it, instead of a tensor that is nearly all zeros.
///
/// Tied embeddings get most of their gradient from the head, and a few rows from the lookup.
public interface AddsGradient extends Op {
    /// Adds the gradient of input 0, the only one that has any, to `sum` in place.
    ///
    /// @param node what the op saved
    /// @param dy the gradient of each output, null where nothing used it
    /// @return false if it did nothing, having no kernel for it
    boolean addGradient(Node node, @Nullable Tensor[] dy, Tensor sum);
}
