package io.github.panagrad.engine;

import io.github.panagrad.engine.ground.PanagradException;

/// How the loss of a head over a vocabulary is computed without its logits ever being built.
///
/// @param ignoreIndex the target that marks a token to be left out; such tokens cost nothing
/// @param labelSmoothing ε: the target distribution is (1−ε)·one-hot + ε/V (Szegedy et al., arXiv
///     1512.00567)
/// @param zLoss λ: adds λ·lse² a token, which keeps the log-sum-exp near 0 (PaLM, arXiv 2204.02311)
/// @param softCap c: logits become c·tanh(z/c) (Gemma 2, arXiv 2408.00118); 0 for none
/// @param filter which small parts of the gradient are left out
/// @param compensateHidden whether the gradient of hidden adds up with what rounding loses, as
///     [#compensate] says
/// @param compensateWeight whether the gradient of the weight does
/// @param memoryBudget how many bytes of logits may exist at a time
public record HeadOptions(
        int ignoreIndex,
        double labelSmoothing,
        double zLoss,
        double softCap,
        HeadFilter filter,
        boolean compensateHidden,
        boolean compensateWeight,
        long memoryBudget) {
    /// The exact cross-entropy, −100 ignored, 32 MiB at a time.
    public static final HeadOptions DEFAULT =
            new HeadOptions(-100, 0, 0, 0, HeadFilter.NONE, false, false, 32L << 20);

    /// Cut Cross-Entropy as it was published: the filter's threshold by type, in blocks of the sorted
    /// vocabulary (arXiv 2411.09009).
    public static final HeadOptions CUT =
            DEFAULT.filter(HeadFilter.auto().blocks(128, 64).sorted(true));

    /// [#CUT] with compensated sums and the whole gradient of the weight (`cce_kahan_full_c`): a filter
    /// starves the rows of rare entries, of which the weight is learnt, before it harms hidden.
    public static final HeadOptions CUT_FULL_WEIGHT =
            CUT.filter(CUT.filter.of(true, false)).compensate(true, true);

    /// [#CUT] with compensated sums and the whole gradient of hidden (`cce_kahan_full_e`).
    public static final HeadOptions CUT_FULL_HIDDEN =
            CUT.filter(CUT.filter.of(false, true)).compensate(true, true);

    /// No filter, and both gradients with what rounding loses (`cce_exact`).
    public static final HeadOptions COMPENSATED = DEFAULT.compensate(true, true);

    /// Checks the ranges.
    public HeadOptions {
        if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
            throw new PanagradException(
                    "labelSmoothing", "out of range", "" + labelSmoothing, "0 to below 1", "");
        }
        if (!(softCap >= 0) || memoryBudget <= 0) {
            throw new PanagradException(
                    "head options",
                    "out of range",
                    "softCap " + softCap + ", memoryBudget " + memoryBudget,
                    "softCap >= 0, memoryBudget > 0",
                    "");
        }
    }

    /// Leaves out tokens with this target.
    public HeadOptions ignoreIndex(int index) {
        return new HeadOptions(
                index,
                labelSmoothing,
                zLoss,
                softCap,
                filter,
                compensateHidden,
                compensateWeight,
                memoryBudget);
    }

    /// Smooths the targets by ε.
    public HeadOptions labelSmoothing(double epsilon) {
        return new HeadOptions(
                ignoreIndex,
                epsilon,
                zLoss,
                softCap,
                filter,
                compensateHidden,
                compensateWeight,
                memoryBudget);
    }

    /// Adds λ·lse² a token.
    public HeadOptions zLoss(double lambda) {
        return new HeadOptions(
                ignoreIndex,
                labelSmoothing,
                lambda,
                softCap,
                filter,
                compensateHidden,
                compensateWeight,
                memoryBudget);
    }

    /// Caps logits softly.
    public HeadOptions softCap(double cap) {
        return new HeadOptions(
                ignoreIndex,
                labelSmoothing,
                zLoss,
                cap,
                filter,
                compensateHidden,
                compensateWeight,
                memoryBudget);
    }

    /// Drops entries of the gradient below a threshold; the dropped share is reported.
    public HeadOptions filter(double threshold) {
        return filter(HeadFilter.below(threshold));
    }

    /// Drops small parts of the gradient; the dropped share is reported.
    public HeadOptions filter(HeadFilter which) {
        return new HeadOptions(
                ignoreIndex,
                labelSmoothing,
                zLoss,
                softCap,
                which,
                compensateHidden,
                compensateWeight,
                memoryBudget);
    }

    /// Keeps what rounding loses when gradients are added up from block to block, and adds it in the
    /// end (two-sum; Knuth, The Art of Computer Programming 2, 4.2.2). Blocks are smaller then, 128
    /// tokens by 2048 entries, within which sums are plain; takes another array of a gradient's size.
    ///
    /// @param hidden whether the gradient of hidden does so, from one part of the vocabulary to the
    ///     next
    /// @param weight whether that of the weight does, from some tokens to the next
    public HeadOptions compensate(boolean hidden, boolean weight) {
        return new HeadOptions(
                ignoreIndex, labelSmoothing, zLoss, softCap, filter, hidden, weight, memoryBudget);
    }

    /// Limits the bytes of logits that exist at a time.
    public HeadOptions memoryBudget(long bytes) {
        return new HeadOptions(
                ignoreIndex,
                labelSmoothing,
                zLoss,
                softCap,
                filter,
                compensateHidden,
                compensateWeight,
                bytes);
    }
}
