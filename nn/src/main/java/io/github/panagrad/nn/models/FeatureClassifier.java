package io.github.panagrad.nn.models;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Context;

/// A classifier in two parts, for objectives that work on what its head sees: compare features with
/// each other, or mix them.
public interface FeatureClassifier {
    /// Computes what the head sees. Shapes: ids (B, T) → (B, C).
    Tensor features(BertInput input, Context context);

    /// Computes the scores of features, whichever way they were made. Shapes: (N, C) → (N, labels).
    Tensor scores(Tensor features, Context context);

    /// Returns C, the width of the features.
    int width();
}
