package io.github.panagrad.examples.task;

import io.github.panagrad.nn.io.JsonObject;

/// Measures a model on data that is not trained on.
@FunctionalInterface
public interface Measure {
    /// Measures the model as it is now.
    Result run();

    /// What was measured.
    ///
    /// @param loss the figure for the curve, smaller being better
    /// @param figures all figures, by name
    /// @param text the same for a reader
    record Result(double loss, JsonObject figures, String text) {}
}
