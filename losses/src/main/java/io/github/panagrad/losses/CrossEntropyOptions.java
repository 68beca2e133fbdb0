package io.github.panagrad.losses;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import org.jspecify.annotations.Nullable;

/// How [Losses#crossEntropy(Tensor, Tensor, CrossEntropyOptions)] weighs its rows.
///
/// @param ignoreIndex the target that marks a row to be left out
/// @param labelSmoothing ε: the target distribution is (1−ε)·one-hot + ε/C
/// @param classWeights a weight for each class (C), or null; a row weighs as its target does
/// @param reduction what is returned
public record CrossEntropyOptions(
        int ignoreIndex,
        double labelSmoothing,
        @Nullable Tensor classWeights,
        Reduction reduction) {
    /// The plain mean, −100 ignored.
    public static final CrossEntropyOptions DEFAULT =
            new CrossEntropyOptions(-100, 0, null, Reduction.MEAN);

    /// Checks the range of the smoothing.
    public CrossEntropyOptions {
        if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
            throw new PanagradException(
                    "labelSmoothing", "out of range", "" + labelSmoothing, "0 to below 1", "");
        }
    }

    /// Leaves out rows with this target.
    public CrossEntropyOptions ignoreIndex(int index) {
        return new CrossEntropyOptions(index, labelSmoothing, classWeights, reduction);
    }

    /// Smooths the targets by ε.
    public CrossEntropyOptions labelSmoothing(double epsilon) {
        return new CrossEntropyOptions(ignoreIndex, epsilon, classWeights, reduction);
    }

    /// Weighs rows by their target's class. Shapes: (C).
    public CrossEntropyOptions classWeights(@Nullable Tensor weights) {
        return new CrossEntropyOptions(ignoreIndex, labelSmoothing, weights, reduction);
    }

    /// Chooses what is returned.
    public CrossEntropyOptions reduction(Reduction how) {
        return new CrossEntropyOptions(ignoreIndex, labelSmoothing, classWeights, how);
    }
}
