package io.github.panagrad.engine;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;

/// Which part of a head's gradient is left out for being small (gradient filtering in Cut
/// Cross-Entropy, arXiv 2411.09009).
///
/// G = softmax − target, the gradient of the logits of one token's cross-entropy before any weight,
/// is looked at in blocks of tokens × entries. A block of which every |G| is below the threshold does
/// not flow on. A row of V entries loses V·threshold at most, which is nearly all of a flat softmax:
/// watch the dropped share that the loss reports.
///
/// @param threshold what |G| is compared with; 0 for no filter, [#AUTO] for [#thresholdOf] the coarsest
///     type among hidden and weight
/// @param hidden whether the gradient of hidden does without these blocks
/// @param weight whether the gradient of the weight does
/// @param tokens how many tokens a block has
/// @param entries how many entries of the vocabulary it has
/// @param sorted whether entries are put in the order of their mean logit first, so that blocks hold
///     what is equally likely; costs a fourth product and matters to blocks of several entries
public record HeadFilter(
        double threshold, boolean hidden, boolean weight, int tokens, int entries, boolean sorted) {
    /// The threshold that depends on the types of the operands.
    public static final double AUTO = -1;

    /// The exact gradient.
    public static final HeadFilter NONE = new HeadFilter(0, true, true, 1, 1, false);

    /// The share of the gradient from which a filter is not to be called harmless any more.
    public static final double LARGE_SHARE = 0.01;

    private static final double TYPE_SHARE = 1.0 / 32;

    /// Checks the ranges.
    public HeadFilter {
        boolean fits = threshold == AUTO || (threshold >= 0 && threshold < 1);
        if (!fits || tokens < 1 || entries < 1) {
            throw new PanagradException(
                    "head filter",
                    "out of range",
                    "threshold " + threshold + ", blocks of " + tokens + " x " + entries,
                    "a threshold from 0 to below 1 or AUTO, blocks of 1 x 1 or more",
                    "");
        }
    }

    /// Drops each entry whose |G| is below a threshold.
    public static HeadFilter below(double threshold) {
        return new HeadFilter(threshold, true, true, 1, 1, false);
    }

    /// Drops each entry whose |G| is below what the operands' types resolve.
    public static HeadFilter auto() {
        return below(AUTO);
    }

    /// Chooses which gradients are filtered.
    public HeadFilter of(boolean hiddenToo, boolean weightToo) {
        return new HeadFilter(threshold, hiddenToo, weightToo, tokens, entries, sorted);
    }

    /// Drops whole blocks only.
    public HeadFilter blocks(int tokenCount, int entryCount) {
        return new HeadFilter(threshold, hidden, weight, tokenCount, entryCount, sorted);
    }

    /// Puts entries in the order of their mean logit before they are cut into blocks.
    public HeadFilter sorted(boolean on) {
        return new HeadFilter(threshold, hidden, weight, tokens, entries, on);
    }

    /// Tells whether anything can be dropped.
    public boolean isOn() {
        return threshold != 0;
    }

    /// Tells whether entries are to be put in another order: it takes blocks of several for that.
    public boolean reorders() {
        return isOn() && sorted && entries > 1;
    }

    /// Tells whether each entry is looked at alone.
    public boolean isEntrywise() {
        return tokens == 1 && entries == 1;
    }

    /// Puts a number in the place of [#AUTO]: the threshold of the coarsest type.
    public HeadFilter resolve(DType... types) {
        if (threshold != AUTO) {
            return this;
        }
        double most = 0;
        for (DType type : types) {
            most = Math.max(most, thresholdOf(type));
        }
        return new HeadFilter(most, hidden, weight, tokens, entries, sorted);
    }

    /// Returns the distance from 1 to the next number of a type, divided by 32: 2⁻²⁸ for F32 and for
    /// blocks of integers, which have no such number, 2⁻¹⁵ for F16, 2⁻¹² for BF16.
    public static double thresholdOf(DType type) {
        double epsilon =
                switch (type) {
                    case F64 -> 0x1p-52;
                    case F16 -> 0x1p-10;
                    case BF16 -> 0x1p-7;
                    default -> 0x1p-23;
                };
        return epsilon * TYPE_SHARE;
    }
}
