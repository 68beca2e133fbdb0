package io.github.panagrad.nn.metrics;

/// How likely a right answer is among several samples.
public final class PassAtK {
    private PassAtK() {}

    /// Estimates pass@k without bias from n samples of which c are right: 1 − C(n−c, k)/C(n, k).
    ///
    /// Source: Chen et al. 2021, arXiv 2107.03374, eq. 1.
    ///
    /// @param n samples drawn, at least k
    /// @param c those that are right, 0 to n
    /// @param k samples allowed, at least 1
    public static double unbiased(int n, int c, int k) {
        Checks.require(
                "passAtK",
                k >= 1 && n >= k && c >= 0 && c <= n,
                "out of range",
                "n " + n + ", c " + c + ", k " + k,
                "1 to n for k, 0 to n for c");
        if (n - c < k) {
            return 1;
        }
        double miss = 1;
        for (int i = n - c + 1; i <= n; i++) {
            miss *= 1 - (double) k / i;
        }
        return 1 - miss;
    }

    /// Computes the coverage of k samples where answers are fixed texts, the mean of 1 − (1 − p)^k.
    /// Nothing is sampled.
    ///
    /// @param logProb log-probabilities of the right answers, at most 0
    public static double exactCoverage(double[] logProb, double k) {
        Checks.require(
                "exactCoverage",
                logProb.length > 0 && k > 0,
                "out of range",
                logProb.length + " answers, k " + k,
                "at least one answer, k above 0");
        double sum = 0;
        for (double log : logProb) {
            Checks.require("exactCoverage", log <= 0, "no log-probability", log, "at most 0");
            double missed =
                    log > -Math.log(2) ? Math.log(-Math.expm1(log)) : Math.log1p(-Math.exp(log));
            sum -= Math.expm1(k * missed);
        }
        return sum / logProb.length;
    }
}
