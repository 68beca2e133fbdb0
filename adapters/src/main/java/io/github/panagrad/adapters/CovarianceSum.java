package io.github.panagrad.adapters;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Parallel;

/// The sum of x·xᵀ over the tokens that one layer saw, in F64, its upper half.
///
/// Every entry adds up in the order of the tokens: the bits depend neither on how these came in
/// chunks nor on the number of threads.
final class CovarianceSum {
    /// Products that a thread adds up at a time: about 20 microseconds.
    private static final int SMALL = 20_000;

    private final int n;
    private final double[] upper;
    private long tokens;

    CovarianceSum(int n) {
        this(n, new double[n * (n + 1) / 2], 0);
    }

    /// Continues a sum.
    ///
    /// @param upper the upper half, row by row
    CovarianceSum(int n, double[] upper, long tokens) {
        this.n = n;
        this.upper = upper;
        this.tokens = tokens;
    }

    int n() {
        return n;
    }

    long tokens() {
        return tokens;
    }

    double[] upper() {
        return upper;
    }

    /// Adds some tokens. Shapes: x (…, n).
    void add(Tensor x) {
        double[] values = x.toDoubles();
        int count = values.length / n;
        int grain = Math.max(1, SMALL / Math.max(1, values.length));
        Parallel.forRange(
                n,
                grain,
                (from, to) -> {
                    for (int i = from; i < to; i++) {
                        addRow(i, values, count);
                    }
                });
        tokens += count;
    }

    private void addRow(int i, double[] values, int count) {
        int start = at(i);
        for (int t = 0; t < count; t++) {
            double factor = values[t * n + i];
            int x = t * n + i;
            for (int j = 0; j < n - i; j++) {
                upper[start + j] += factor * values[x + j];
            }
        }
    }

    /// Returns where row i of the upper half begins, with its diagonal.
    private int at(int i) {
        return i * n - i * (i - 1) / 2;
    }

    /// Returns the sum divided by the mean of its diagonal, which no scale of the inputs changes.
    ///
    /// Shapes: (n, n).
    double[] normalized() {
        double mean = 0;
        for (int i = 0; i < n; i++) {
            mean += upper[at(i)] / n;
        }
        double by = mean > 0 ? mean : 1;
        double[] c = new double[n * n];
        for (int i = 0; i < n; i++) {
            for (int j = i; j < n; j++) {
                c[i * n + j] = upper[at(i) + j - i] / by;
                c[j * n + i] = c[i * n + j];
            }
        }
        return c;
    }
}
