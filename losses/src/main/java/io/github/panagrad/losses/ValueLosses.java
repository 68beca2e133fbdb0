package io.github.panagrad.losses;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;

/// Losses and targets of value functions: what a state, or an action in it, is worth.
public final class ValueLosses {
    private ValueLosses() {}

    /// Computes the cross-entropy of a value's bins against a target of [ValueBins], which is brought
    /// to the logits' type and device. No gradient flows to the target.
    ///
    /// Shapes: logits (…, bins), targets (…, bins) → (…). Source: Farebrother et al. 2024, Stop
    /// Regressing, arXiv 2403.03950, eq. 2.
    public static Tensor valueCrossEntropy(Tensor logits, Tensor targets) {
        return DistributionLosses.softTargetCrossEntropy(
                logits, targets.detach().to(logits.dtype()).to(logits.device()));
    }

    /// Returns the targets of Q-learning, reward + γ·maxₐ Q(next, a), or the reward alone where nothing
    /// follows.
    ///
    /// Source: Mnih et al. 2015, Human-level control, algorithm 1; with one value a row, the target of
    /// temporal-difference learning.
    ///
    /// @param rewards a number a row
    /// @param nextValues values of the actions in the next state, a row after another
    /// @param gamma γ, from 0 to 1
    /// @param done whether nothing follows in a row
    public static double[] tdTargets(
            double[] rewards, double[] nextValues, double gamma, boolean[] done) {
        int rows = rewards.length;
        if (done.length != rows || rows == 0 || nextValues.length % rows != 0) {
            throw new PanagradException(
                    "tdTargets",
                    "rows do not fit",
                    rows + " rewards, " + nextValues.length + " values, " + done.length + " marks",
                    "a mark and equally many values for each reward",
                    "");
        }
        if (!(gamma >= 0 && gamma <= 1)) {
            throw new PanagradException(
                    "tdTargets", "gamma is out of range", "" + gamma, "0 to 1", "");
        }
        int actions = nextValues.length / rows;
        double[] targets = new double[rows];
        for (int i = 0; i < rows; i++) {
            double best = Double.NEGATIVE_INFINITY;
            for (int a = 0; a < actions; a++) {
                best = Math.max(best, nextValues[i * actions + a]);
            }
            targets[i] = rewards[i] + (done[i] ? 0 : gamma * best);
        }
        return targets;
    }

    /// Computes log Σₐ e^Q(s, a) − Q(s, taken), which keeps the values of actions that the data does
    /// not show from growing: what conservative Q-learning adds, times its α.
    ///
    /// Shapes: values (N, actions), taken I32 (N) → (N). Source: Kumar et al. 2020, arXiv 2006.04779,
    /// eq. 4.
    public static Tensor conservativePenalty(Tensor values, Tensor taken) {
        Tensor chosen = values.gather(1, taken.reshape(values.dim(0), 1).to(values.device()));
        return values.logSumExp(1, false).sub(chosen.reshape(values.dim(0)));
    }
}
