package io.github.panagrad.engine.cpu;

import java.util.Arrays;

/// What one pass over the logits of a head yields for each token, gathered part by part of the row.
final class LogitStatistics {
    private final float[] max;
    private final double[] sum;
    private final double[] target;
    private final double[] total;
    private final double[] weighted;
    private final int[] argMax;

    /// Starts with rows of which nothing has been seen.
    ///
    /// @param totals whether to add up the logits, as label smoothing needs
    /// @param entropies whether to add up exp(z)·z
    /// @param best whether to look for the largest logit's index
    LogitStatistics(int tokens, boolean totals, boolean entropies, boolean best) {
        max = new float[tokens];
        Arrays.fill(max, Float.NEGATIVE_INFINITY);
        sum = new double[tokens];
        target = new double[tokens];
        total = new double[totals ? tokens : 0];
        weighted = new double[entropies ? tokens : 0];
        argMax = new int[best ? tokens : 0];
    }

    /// Adds `n` logits of token i, those of the entries from `first` on.
    ///
    /// @param wanted the token's target, in this part or in another
    void add(int i, float[] z, int o, int n, int first, int wanted) {
        float top = RowFolds.maxNumber(z, o, n);
        if (argMax.length > 0 && top > max[i]) {
            argMax[i] = first + LogitRows.indexOf(z, o, n, top);
        }
        float now = Math.max(max[i], top);
        double keep = max[i] == now ? 1 : Math.exp(max[i] - now);
        sum[i] = sum[i] * keep + SoftmaxRows.expSum(z, o, n, now);
        if (weighted.length > 0) {
            weighted[i] = weighted[i] * keep + LogitRows.weightedExpSum(z, o, n, now);
        }
        if (total.length > 0) {
            total[i] += RowFolds.sum(z, o, n);
        }
        if (wanted >= first && wanted < first + n) {
            target[i] = z[o + wanted - first];
        }
        max[i] = now;
    }

    /// Returns the logarithm of the sum of exponentials.
    double logSumExp(int i) {
        return max[i] + Math.log(sum[i]);
    }

    /// Returns the logit of the target.
    double target(int i) {
        return target[i];
    }

    /// Returns the cross-entropy with the target smoothed by ε.
    double crossEntropy(int i, double smoothing, int vocabulary) {
        double expected = (1 - smoothing) * target[i];
        if (smoothing > 0) {
            expected += smoothing * total[i] / vocabulary;
        }
        return logSumExp(i) - expected;
    }

    /// Returns the entropy of the softmax.
    double entropy(int i) {
        return logSumExp(i) - weighted[i] / sum[i];
    }

    /// Returns the index of the largest logit, the first of several.
    int argMax(int i) {
        return argMax[i];
    }
}
