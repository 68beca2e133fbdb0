package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.HeadOptions;

/// Turns blocks of logits into the gradient of the loss, in place, token by token.
///
/// With p the softmax and z the (capped) logits the gradient is p·(slope + tilt·z) − shift, less
/// `hot` at the target, taken through the soft cap.
final class LogitGradient {
    private final float[] lse;
    private final float[] slope;
    private final float[] tilt;
    private final float[] shift;
    private final float[] hot;
    private final float bend;
    private final double filter;
    private final double[] dropped;
    private final double[] all;
    private final double smoothing;
    private final int vocabulary;

    LogitGradient(HeadOptions options, double filter, int tokens, int vocabulary) {
        this.filter = filter;
        this.vocabulary = vocabulary;
        lse = new float[tokens];
        slope = new float[tokens];
        tilt = new float[tokens];
        shift = new float[tokens];
        hot = new float[tokens];
        dropped = new double[filter > 0 ? tokens : 0];
        all = new double[filter > 0 ? tokens : 0];
        smoothing = options.labelSmoothing();
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
        float floor = Float.NEGATIVE_INFINITY;
        if (filter > 0) {
            floor = (float) (lse[i] + Math.log(filter));
            count(i, z, o, n, floor, at);
        }
        LogitRows.gradient(z, o, n, lse[i], slope[i], tilt[i], shift[i], bend, floor);
        if (at >= 0) {
            z[at] = (float) (target(i, logit) * (1 - bend * (double) logit * logit));
        }
    }

    private double target(int i, float logit) {
        double p = Math.exp(logit - lse[i]);
        return p * (slope[i] + tilt[i] * logit) - shift[i] - hot[i];
    }

    private void count(int i, float[] z, int o, int n, float floor, int at) {
        float never = Float.POSITIVE_INFINITY;
        dropped[i] += LogitRows.droppedMass(z, o, n, lse[i], slope[i], shift[i], floor);
        all[i] += LogitRows.droppedMass(z, o, n, lse[i], slope[i], shift[i], never);
        if (at >= 0) {
            // The target is never dropped, and its share is not what it would be as another entry.
            double other = Math.abs(Math.exp(z[at] - lse[i]) * slope[i] - shift[i]);
            dropped[i] -= z[at] < floor ? other : 0;
            all[i] += Math.abs(target(i, z[at])) - other;
        }
    }

    /// Returns the share of the gradient's absolute sum, before the cap, that the filter dropped.
    double droppedShare() {
        double lost = 0;
        double total = 0;
        for (int i = 0; i < all.length; i++) {
            lost += dropped[i];
            total += all[i];
        }
        return total == 0 ? 0 : lost / total;
    }
}
