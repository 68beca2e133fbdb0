package io.github.panagrad.losses;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.ShapeException;

/// The focal loss of logits, of one class in several and of yes or no: −α·(1 − p)^γ·log p, which counts
/// what is already likely for less.
///
/// Source: Lin et al. 2017, Focal Loss for Dense Object Detection, arXiv 1708.02002, eq. 5. Over a
/// vocabulary use [NllLosses#focal], which needs no logits.
///
/// ```java
/// var balanced =
///         CrossEntropyOptions.DEFAULT.classWeights(
///                 ClassWeights.balanced(ClassWeights.counts(labels, 2)));
/// Tensor loss = FocalLosses.focal(logits, targets, 2, balanced);
/// ```
public final class FocalLosses {
    private FocalLosses() {}

    /// Computes the focal loss of rows of logits, with the classes' weights as α; γ = 0 is
    /// [Losses#crossEntropy(Tensor, Tensor, CrossEntropyOptions)].
    ///
    /// Shapes: logits (…, C), targets I32 (…) → () or, unreduced, the shape of the targets.
    ///
    /// @param gamma at least 0; 2 in the paper
    /// @param options which rows count, for how much, and what is returned; with smoothing, −log p is
    ///     smoothed first
    public static Tensor focal(
            Tensor logits, Tensor targets, double gamma, CrossEntropyOptions options) {
        CrossEntropyOptions each = options.reduction(Reduction.NONE).classWeights(null);
        Tensor nll = Losses.crossEntropy(logits, targets, each).reshape(-1);
        double[] weights =
                Losses.rowWeights(
                        "focal",
                        targets.toInts(),
                        logits.dim(-1),
                        options.ignoreIndex(),
                        options.classWeights(),
                        options.reduction());
        Tensor weighted = NllLosses.focal(nll, gamma).mul(Constants.like(nll, weights));
        return options.reduction() == Reduction.NONE
                ? weighted.reshape(targets.shape().toArray())
                : weighted.sum();
    }

    /// Computes the focal loss of yes or no, p being the sigmoid of the logit or one less it. Not
    /// reduced.
    ///
    /// Shapes: logits (*), targets (*) → (*).
    ///
    /// @param targets 1 for yes and 0 for no
    /// @param gamma at least 0; 2 in the paper
    public static Tensor binaryFocal(Tensor logits, Tensor targets, double gamma) {
        double[] truth = truth(logits, targets);
        double[] signs = new double[truth.length];
        for (int i = 0; i < signs.length; i++) {
            signs[i] = 1 - 2 * truth[i];
        }
        Tensor sign = Constants.like(logits, signs).reshape(logits.shape().toArray());
        return NllLosses.focal(logits.mul(sign).softplus(), gamma);
    }

    /// Computes the focal loss of yes or no, where a yes weighs α and a no 1 − α. Not reduced.
    ///
    /// Shapes: logits (*), targets (*) → (*).
    ///
    /// @param alpha from 0 to 1; 0.25 in the paper
    public static Tensor binaryFocal(Tensor logits, Tensor targets, double gamma, double alpha) {
        if (!(alpha >= 0 && alpha <= 1)) {
            throw new PanagradException(
                    "binaryFocal", "alpha is out of range", "" + alpha, "0 to 1", "");
        }
        double[] weights = truth(logits, targets);
        for (int i = 0; i < weights.length; i++) {
            weights[i] = weights[i] == 1 ? alpha : 1 - alpha;
        }
        Tensor weight = Constants.like(logits, weights).reshape(logits.shape().toArray());
        return binaryFocal(logits, targets, gamma).mul(weight);
    }

    private static double[] truth(Tensor logits, Tensor targets) {
        if (!logits.shape().equals(targets.shape())) {
            throw new ShapeException(
                    "binaryFocal",
                    "logits and targets do not fit",
                    logits.spec() + " and " + targets.spec(),
                    "one shape",
                    "");
        }
        double[] truth = targets.toDoubles();
        for (double t : truth) {
            if (t != 0 && t != 1) {
                throw new PanagradException(
                        "binaryFocal", "a target is neither yes nor no", "" + t, "1 or 0", "");
            }
        }
        return truth;
    }
}
