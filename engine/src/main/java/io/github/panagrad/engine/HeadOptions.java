package io.github.panagrad.engine;

import io.github.panagrad.engine.ground.PanagradException;

/// How the loss of a head over a vocabulary is computed without its logits ever being built.
///
/// @param ignoreIndex the target that marks a token to be left out; such tokens cost nothing
/// @param labelSmoothing ε: the target distribution is (1−ε)·one-hot + ε/V (Szegedy et al., arXiv
///     1512.00567)
/// @param zLoss λ: adds λ·lse² a token, which keeps the log-sum-exp near 0 (PaLM, arXiv 2204.02311)
/// @param softCap c: logits become c·tanh(z/c) (Gemma 2, arXiv 2408.00118); 0 for none
/// @param filter softmax entries below it count as 0 in the gradient, the target's excepted (Cut
///     Cross-Entropy, arXiv 2411.09009); 0 for the exact gradient
/// @param memoryBudget how many bytes of logits may exist at a time
public record HeadOptions(
        int ignoreIndex,
        double labelSmoothing,
        double zLoss,
        double softCap,
        double filter,
        long memoryBudget) {
    /// The exact cross-entropy, −100 ignored, 32 MiB at a time.
    public static final HeadOptions DEFAULT = new HeadOptions(-100, 0, 0, 0, 0, 32L << 20);

    /// Checks the ranges.
    public HeadOptions {
        if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
            throw new PanagradException(
                    "labelSmoothing", "out of range", "" + labelSmoothing, "0 to below 1", "");
        }
        if (!(softCap >= 0) || !(filter >= 0 && filter < 1) || memoryBudget <= 0) {
            throw new PanagradException(
                    "head options",
                    "out of range",
                    "softCap " + softCap + ", filter " + filter + ", memoryBudget " + memoryBudget,
                    "softCap >= 0, filter in [0, 1), memoryBudget > 0",
                    "");
        }
    }

    /// Leaves out tokens with this target.
    public HeadOptions ignoreIndex(int index) {
        return new HeadOptions(index, labelSmoothing, zLoss, softCap, filter, memoryBudget);
    }

    /// Smooths the targets by ε.
    public HeadOptions labelSmoothing(double epsilon) {
        return new HeadOptions(ignoreIndex, epsilon, zLoss, softCap, filter, memoryBudget);
    }

    /// Adds λ·lse² a token.
    public HeadOptions zLoss(double lambda) {
        return new HeadOptions(ignoreIndex, labelSmoothing, lambda, softCap, filter, memoryBudget);
    }

    /// Caps logits softly.
    public HeadOptions softCap(double cap) {
        return new HeadOptions(ignoreIndex, labelSmoothing, zLoss, cap, filter, memoryBudget);
    }

    /// Drops softmax entries below a threshold from the gradient; the dropped share is reported.
    public HeadOptions filter(double threshold) {
        return new HeadOptions(
                ignoreIndex, labelSmoothing, zLoss, softCap, threshold, memoryBudget);
    }

    /// Limits the bytes of logits that exist at a time.
    public HeadOptions memoryBudget(long bytes) {
        return new HeadOptions(ignoreIndex, labelSmoothing, zLoss, softCap, filter, bytes);
    }
}
