package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.HeadOptions;

/// Turns blocks of logits into the gradient of the loss, in place, token by token.
///
/// With p the softmax and z the (capped) logits the gradient is p·(slope + tilt·z) − shift, less
/// `hot` at the target, taken through the soft cap. What a filter looks at is that of the plain
/// cross-entropy with weight 1, |p − target|.
final class LogitGradient {
    private final float[] lse;
    private final float[] slope;
    private final float[] tilt;
    private final float[] shift;
    private final float[] hot;
    private final float bend;
    private final double smoothing;
    private final double uniform;
    private final int vocabulary;

    /// For each token what the filter saw and what it dropped; empty if none did.
    private final double[] seen;

    LogitGradient(HeadOptions options, int tokens, int vocabulary) {
        this.vocabulary = vocabulary;
        lse = new float[tokens];
        slope = new float[tokens];
        tilt = new float[tokens];
        shift = new float[tokens];
        hot = new float[tokens];
        seen = new double[options.filter().isOn() ? 2 * tokens : 0];
        smoothing = options.labelSmoothing();
        uniform = smoothing / vocabulary;
        bend = options.softCap() == 0 ? 0 : (float) (1 / (options.softCap() * options.softCap()));
    }

    /// Sets the factors of token i.
    ///
    /// @param weight gradient of the token's cross-entropy
    /// @param more what else flows into its log-sum-exp
    /// @param tilt minus the gradient of its entropy
    void token(int i, double logSumExp, double weight, double more, double tilt) {
        lse[i] = (float) logSumExp;
        slope[i] = (float) (weight + more);
        this.tilt[i] = (float) tilt;
        shift[i] = (float) (weight * smoothing / vocabulary);
        hot[i] = (float) (weight * (1 - smoothing));
    }

    /// Replaces `n` logits of token i, those of the entries from `first` on.
    void run(int i, float[] z, int o, int n, int first, int wanted) {
        int at = wanted >= first && wanted < first + n ? o + wanted - first : -1;
        float logit = at < 0 ? 0 : z[at];
        LogitRows.gradient(z, o, n, lse[i], slope[i], tilt[i], shift[i], bend);
        if (at >= 0) {
            z[at] = (float) target(i, logit);
        }
    }

    /// Does the same, but puts 0 where |p − target| is below a threshold. For tokens without a tilt.
    void filtered(int i, float[] z, int o, int n, int first, int wanted, double threshold) {
        int at = wanted >= first && wanted < first + n ? o + wanted - first : -1;
        float logit = at < 0 ? 0 : z[at];
        LogitRows.filteredGradient(
                z,
                o,
                n,
                lse[i],
                slope[i],
                shift[i],
                bend,
                (float) uniform,
                (float) threshold,
                seen,
                2 * i);
        if (at >= 0) {
            double own = Math.abs(ofTarget(i, logit));
            double asOther = Math.abs(Math.exp(logit - lse[i]) - uniform);
            boolean small = own < threshold;
            seen[2 * i] += own - asOther;
            seen[2 * i + 1] += (small ? own : 0) - (asOther < threshold ? asOther : 0);
            z[at] = small ? 0 : (float) target(i, logit);
        }
    }

    private double target(int i, float logit) {
        double p = Math.exp(logit - lse[i]);
        double g = p * (slope[i] + tilt[i] * logit) - shift[i] - hot[i];
        return g * (1 - bend * (double) logit * logit);
    }

    /// Returns p − target for the token's target, given its logit.
    double ofTarget(int i, float logit) {
        return Math.exp(logit - lse[i]) - uniform - (1 - smoothing);
    }

    /// Looks at `n` logits of token i, none its target's: the largest |p − target| and their sum go
    /// into element `at` of two arrays.
    void size(int i, float[] z, int o, int n, float[] largest, float[] sums, int at) {
        LogitRows.size(z, o, n, lse[i], (float) uniform, largest, sums, at);
    }

    /// Returns Σ|p − target| of what [#filtered] saw.
    double all() {
        return sum(0);
    }

    /// Returns Σ|p − target| of what [#filtered] dropped.
    double dropped() {
        return sum(1);
    }

    private double sum(int which) {
        double sum = 0;
        for (int i = which; i < seen.length; i += 2) {
            sum += seen[i];
        }
        return sum;
    }
}
