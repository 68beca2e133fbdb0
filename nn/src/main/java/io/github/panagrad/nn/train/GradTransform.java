package io.github.panagrad.nn.train;

import io.github.panagrad.engine.Grads;

/// Looks at, or changes, the gradients of a step before they are clipped and applied.
@FunctionalInterface
public interface GradTransform {
    /// Returns the gradients to go on with.
    ///
    /// @param grads the gradients of the step's summed loss
    /// @param count what they will be divided by
    Grads apply(Grads grads, double count, Step step);
}
