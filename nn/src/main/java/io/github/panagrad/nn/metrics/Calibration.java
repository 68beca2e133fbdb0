package io.github.panagrad.nn.metrics;

/// Whether probabilities are what they say: of a hundred rows at 0.8, eighty should be right.
public final class Calibration {
    private Calibration() {}

    /// Computes the expected calibration error: over bins of confidence of equal width, the mean
    /// distance of confidence and accuracy, weighted by rows.
    ///
    /// Source: Guo et al. 2017, arXiv 1706.04599, eq. 3.
    ///
    /// @param confidence probabilities of the predicted labels, 0 to 1
    /// @param right whether these are the true ones
    /// @param bins 15 is common
    public static double expectedError(double[] confidence, boolean[] right, int bins) {
        Checks.sameLength("calibration", confidence.length, right.length);
        Checks.require("calibration", bins > 0, "no bins", bins, "at least 1");
        double[] gap = new double[bins];
        for (int i = 0; i < right.length; i++) {
            double c = confidence[i];
            Checks.require("calibration", c >= 0 && c <= 1, "no probability", c, "0 to 1");
            // A bin holds its upper end, as in the paper.
            int bin = Math.max(0, (int) Math.ceil(c * bins) - 1);
            gap[bin] += c - (right[i] ? 1 : 0);
        }
        double sum = 0;
        for (double g : gap) {
            sum += Math.abs(g);
        }
        return sum / right.length;
    }

    /// Computes Brier's score, the mean of Σ (p − onehot)² over rows: 0 is best, 2 worst.
    ///
    /// Source: Brier 1950.
    ///
    /// @param probabilities a row of them for each label
    public static double brier(double[][] probabilities, int[] labels) {
        Checks.sameLength("brier", probabilities.length, labels.length);
        double sum = 0;
        for (int i = 0; i < labels.length; i++) {
            Checks.label("brier", labels[i], probabilities[i].length);
            for (int c = 0; c < probabilities[i].length; c++) {
                double d = probabilities[i][c] - (c == labels[i] ? 1 : 0);
                sum += d * d;
            }
        }
        return sum / labels.length;
    }

    /// Finds the temperature that logits are to be divided by for the least negative log-likelihood.
    /// Fit it on validation data. It changes no prediction.
    ///
    /// The loss is convex in 1/T, so its slope's one root is bisected, from T = 1/1000 to 1000.
    ///
    /// Source: Guo et al. 2017, arXiv 1706.04599, section 4.2.
    public static double temperature(double[][] logits, int[] labels) {
        Checks.sameLength("temperature", logits.length, labels.length);
        double low = -Math.log(1000);
        double high = -low;
        for (int i = 0; i < 100; i++) {
            double middle = (low + high) / 2;
            if (slope(logits, labels, Math.exp(middle)) < 0) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return Math.exp(-(low + high) / 2);
    }

    /// Returns the derivative of the summed loss in β = 1/T: Σ (E[z] − z of the label).
    private static double slope(double[][] logits, int[] labels, double beta) {
        double slope = 0;
        for (int i = 0; i < labels.length; i++) {
            Checks.label("temperature", labels[i], logits[i].length);
            double[] p = softmax(logits[i], 1 / beta);
            for (int c = 0; c < p.length; c++) {
                slope += p[c] * logits[i][c];
            }
            slope -= logits[i][labels[i]];
        }
        return slope;
    }

    /// Returns the probabilities of a row of logits at a temperature.
    public static double[] softmax(double[] logits, double temperature) {
        double max = Double.NEGATIVE_INFINITY;
        for (double z : logits) {
            max = Math.max(max, z);
        }
        double[] p = new double[logits.length];
        double sum = 0;
        for (int c = 0; c < p.length; c++) {
            p[c] = Math.exp((logits[c] - max) / temperature);
            sum += p[c];
        }
        for (int c = 0; c < p.length; c++) {
            p[c] /= sum;
        }
        return p;
    }
}
