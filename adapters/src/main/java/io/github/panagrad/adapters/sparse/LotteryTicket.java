package io.github.panagrad.adapters.sparse;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.ParamSelection;

/// How sparse fine-tuning finds and trains its entries.
///
/// Source: LT-SFT, Ansell et al., arXiv 2110.07560, and its published code.
///
/// @param density the share of the maskable entries that train, from above 0 to 1; 1 % in the source
/// @param entries their number, instead of a share; 0 for the share
/// @param iterations how often entries are chosen, a further part of them each time
/// @param l1Full λ of the pull λ·Σ|θ − θ⁰|/P in full phases, P being the model's parameters
/// @param l1Sparse λ of the same pull in sparse phases
public record LotteryTicket(
        double density, long entries, int iterations, double l1Full, double l1Sparse) {
    /// Checks the numbers.
    public LotteryTicket {
        if (!(density > 0 && density <= 1) || entries < 0 || iterations < 1) {
            throw new PanagradException(
                    "lottery ticket",
                    "out of range",
                    "density " + density + ", entries " + entries + ", iterations " + iterations,
                    "density above 0 and at most 1, entries 0 or more, iterations 1 or more",
                    "");
        }
        if (!(l1Full >= 0 && l1Sparse >= 0)) {
            throw new PanagradException(
                    "lottery ticket", "pull out of range", l1Full + ", " + l1Sparse, ">= 0", "");
        }
    }

    /// Trains a share of the entries, chosen at once, without a pull.
    public static LotteryTicket density(double share) {
        return new LotteryTicket(share, 0, 1, 0, 0);
    }

    /// Trains a number of entries, chosen at once, without a pull.
    public static LotteryTicket entries(long count) {
        return new LotteryTicket(1, count, 1, 0, 0);
    }

    /// Sets how often entries are chosen.
    public LotteryTicket iterations(int count) {
        return new LotteryTicket(density, entries, count, l1Full, l1Sparse);
    }

    /// Sets the pulls towards the first values.
    public LotteryTicket l1(double full, double sparse) {
        return new LotteryTicket(density, entries, iterations, full, sparse);
    }

    /// Returns how many entries train in the end.
    long count(ParamSelection maskable) {
        return entries > 0 ? entries : MaskRule.count(maskable.parameters(), density);
    }
}
