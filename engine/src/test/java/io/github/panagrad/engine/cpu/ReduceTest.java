package io.github.panagrad.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReduceTest {
    private static final float NAN = Float.NaN;

    @Test
    void rowSumsMatchDoubles() {
        Draws.each(
                150,
                draws -> {
                    int rows = draws.between(1, 4);
                    int n = draws.between(0, 9) == 0 ? draws.between(1, 40000) : draws.length();
                    float[] x = draws.uniform(1 + rows * n, 0, 2);
                    double[] exact = new double[rows];
                    for (int i = 0; i < rows * n; i++) {
                        exact[i / n] += 0.5 * x[1 + i];
                    }
                    float[] y = Close.guarded(rows + 3);
                    RowReduce.sum(x, 1, y, 2, rows, n, 0.5);
                    Close.check("sum", y, 2, exact, 3e-7);
                });
    }

    @Test
    void aSumOfManyMillionsKeepsSixDigits() {
        int n = 1 << 23;
        float[] x = new float[n];
        java.util.Arrays.fill(x, 0.1f);
        float[] y = new float[1];
        RowReduce.sum(x, 0, y, 0, 1, n, 1);
        Close.check("sum", y, 0, new double[] {(double) 0.1f * n}, 1e-6);
        ColumnSums.sum(x, 0, y, 0, 1, n, 1);
        Close.check("column", y, 0, new double[] {(double) 0.1f * n}, 1e-6);
    }

    @Test
    void dotsAndDeviationsMatchDoubles() {
        Draws.each(
                100,
                draws -> {
                    int n = draws.between(0, 9) == 0 ? draws.between(1, 5000) : draws.length();
                    float[] x = draws.normal(n + 1, 1);
                    float[] y = draws.normal(n + 2, 1);
                    double dot = 0;
                    double deviations = 0;
                    for (int i = 0; i < n; i++) {
                        dot += (double) x[1 + i] * y[2 + i];
                        deviations += Math.pow(x[1 + i] - 0.25, 2);
                    }
                    double[] got = {
                        RowFolds.dot(x, 1, y, 2, n), RowFolds.squaredDeviations(x, 1, n, 0.25f)
                    };
                    assertThat(got[0]).isCloseTo(dot, within(2e-6 * Math.sqrt(n + 1.0)));
                    assertThat(got[1]).isCloseTo(deviations, within(4e-7 * (1 + deviations)));
                });
    }

    private static org.assertj.core.data.Offset<Double> within(double by) {
        return org.assertj.core.api.Assertions.within(by);
    }

    @Test
    void columnSumsMatchDoubles() {
        Draws.each(
                100,
                draws -> {
                    int outer = draws.between(1, 3);
                    int n = draws.between(0, 4) == 0 ? draws.between(200, 800) : draws.length();
                    int inner = draws.between(0, 9) == 0 ? 4100 : draws.positiveLength();
                    inner = n > 100 ? Math.min(inner, 300) : inner;
                    float[] x = draws.normal(1 + outer * n * inner, 1);
                    double[] exact = new double[outer * inner];
                    for (int o = 0; o < outer; o++) {
                        for (int i = 0; i < n * inner; i++) {
                            exact[o * inner + i % inner] += x[1 + o * n * inner + i];
                        }
                    }
                    float[] y = Close.guarded(outer * inner + 3);
                    ColumnSums.sum(x, 1, y, 2, outer, n, inner);
                    Close.check("columns", y, 2, exact, 2e-6);
                });
    }

    @Test
    void extremesAndTheirFirstPlaces() {
        Draws.each(
                150,
                draws -> {
                    int rows = draws.between(1, 4);
                    int n = draws.positiveLength();
                    float[] x = draws.normal(1 + rows * n, 1);
                    for (int i = 0; i < x.length; i++) {
                        x[i] = Math.round(2 * x[i]);
                    }
                    if (draws.coin()) {
                        x[1 + draws.between(0, rows * n - 1)] = NAN;
                    }
                    float[] max = new float[rows];
                    float[] min = new float[rows];
                    int[] argMax = new int[rows];
                    int[] argMin = new int[rows];
                    RowReduce.max(x, 1, max, 0, rows, n);
                    RowReduce.min(x, 1, min, 0, rows, n);
                    RowReduce.argMax(x, 1, argMax, 0, rows, n);
                    RowReduce.argMin(x, 1, argMin, 0, rows, n);
                    for (int r = 0; r < rows; r++) {
                        int high = 0;
                        int low = 0;
                        float best = Float.NEGATIVE_INFINITY;
                        for (int i = n - 1; i >= 0; i--) {
                            float v = x[1 + r * n + i];
                            high = !(v < x[1 + r * n + high]) ? i : high;
                            low = !(v > x[1 + r * n + low]) ? i : low;
                            best = v > best ? v : best;
                        }
                        for (int i = n - 1; i >= 0; i--) {
                            if (Float.isNaN(x[1 + r * n + i])) {
                                high = i;
                                low = i;
                            }
                        }
                        assertThat(argMax[r]).isEqualTo(high);
                        assertThat(argMin[r]).isEqualTo(low);
                        assertThat(Float.compare(max[r], x[1 + r * n + high])).isZero();
                        assertThat(Float.compare(min[r], x[1 + r * n + low])).isZero();
                        assertThat(RowFolds.maxNumber(x, 1 + r * n, n)).isEqualTo(best);
                    }
                });
    }

    @Test
    void runningSumsMatchDoubles() {
        Draws.each(
                40,
                draws -> {
                    int outer = draws.between(1, 3);
                    int n = draws.length();
                    int inner = draws.coin() ? 1 : draws.between(1, 20);
                    float[] x = draws.normal(1 + outer * n * inner, 1);
                    double[] exact = new double[outer * n * inner];
                    for (int i = 0; i < exact.length; i++) {
                        boolean first = i / inner % n == 0;
                        exact[i] = x[1 + i] + (first ? 0 : exact[i - inner]);
                    }
                    float[] y = Close.guarded(exact.length + 3);
                    RowReduce.cumulativeSum(x, 1, y, 2, outer, n, inner, false);
                    Close.check("cumsum", y, 2, exact, 1e-7);
                    for (int i = exact.length - 1; i >= 0; i--) {
                        boolean last = i / inner % n == n - 1;
                        exact[i] = x[1 + i] + (last ? 0 : exact[i + inner]);
                    }
                    RowReduce.cumulativeSum(x, 1, y, 2, outer, n, inner, true);
                    Close.check("cumsum from the end", y, 2, exact, 1e-7);
                });
    }

    @Test
    void sameBitsForAnyNumberOfThreads() {
        Draws.each(
                3,
                draws -> {
                    int rows = draws.between(500, 900);
                    int n = draws.between(100, 300);
                    float[] x = draws.normal(rows * n, 1);
                    var both =
                            Draws.withOneAndThreeThreads(() -> {
                                float[] y = new float[rows + n + 1];
                                RowReduce.sum(x, 0, y, 0, rows, n, 1);
                                ColumnSums.sum(x, 0, y, rows, 1, rows, n);
                                RowReduce.sum(x, 0, y, rows + n, 1, rows * n, 1);
                                return y;
                            });
                    assertThat(both.get(1)).isEqualTo(both.get(0));
                });
    }
}
