package io.github.panagrad.nn.models;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Context;
import java.util.List;

/// A classifier in two parts, for objectives that work on what its head sees: compare features with
/// each other, or mix them.
public interface FeatureClassifier {
    /// Computes what the head sees. Shapes: ids (B, T) → (B, C).
    Tensor features(BertInput input, Context context);

    /// Computes the scores of features, whichever way they were made. Shapes: (N, C) → (N, labels).
    Tensor scores(Tensor features, Context context);

    /// Computes the scores of rows. Shapes: ids (B, T) → (B, labels).
    default Tensor logits(BertInput input, Context context) {
        Context own = context.branch();
        return scores(features(input, own), own);
    }

    /// Returns the names of the labels, in the order of the scores.
    List<String> labels();

    /// Returns C, the width of the features.
    int width();
}
