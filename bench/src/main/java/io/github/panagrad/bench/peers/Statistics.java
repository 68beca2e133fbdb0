package io.github.panagrad.bench.peers;

import java.util.Arrays;

/// Medians and distances of samples.
final class Statistics {
    private Statistics() {}

    /// Returns the middle value, or the mean of the two in the middle.
    static double median(double... values) {
        if (values.length == 0) {
            return Double.NaN;
        }
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int half = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }

    /// Returns the largest difference of two arrays relative to the largest entry of the second.
    ///
    /// Infinite if lengths differ or a number is not finite.
    static double difference(float[] a, float[] b) {
        if (a.length != b.length) {
            return Double.POSITIVE_INFINITY;
        }
        double largest = 0;
        double apart = 0;
        for (int i = 0; i < a.length; i++) {
            if (!Float.isFinite(a[i]) || !Float.isFinite(b[i])) {
                return Double.POSITIVE_INFINITY;
            }
            largest = Math.max(largest, Math.abs(b[i]));
            apart = Math.max(apart, Math.abs((double) a[i] - b[i]));
        }
        if (largest == 0) {
            return apart == 0 ? 0 : Double.POSITIVE_INFINITY;
        }
        return apart / largest;
    }
}
