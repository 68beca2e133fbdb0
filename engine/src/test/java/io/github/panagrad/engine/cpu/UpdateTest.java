package io.github.panagrad.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.op.AdamWStep;
import io.github.panagrad.engine.op.SgdStep;
import org.junit.jupiter.api.Test;

/// Optimizer steps, norms of gradients and the check for finite numbers.
class UpdateTest {
    @Test
    void adamWMatchesItsFormulaOverSeveralSteps() {
        Draws.each(
                80,
                draws -> {
                    int n = draws.length();
                    float[] w = draws.normal(n + 1, 1);
                    float[] m = new float[n + 2];
                    float[] v = new float[n + 3];
                    double[] exact = new double[n];
                    double[] first = new double[n];
                    double[] second = new double[n];
                    for (int i = 0; i < n; i++) {
                        exact[i] = w[1 + i];
                    }
                    for (int t = 1; t <= 4; t++) {
                        float[] g = draws.normal(n, draws.coin() ? 1 : 1e-6);
                        var step = new AdamWStep(0.01, 0.9, 0.999, 1e-8, 0.1, t, 0.5);
                        AdamWLoop.dense(step, w, 1, g, 0, m, 2, v, 3, w, 1, m, 2, v, 3, n);
                        for (int i = 0; i < n; i++) {
                            double d = 0.5 * g[i];
                            first[i] = 0.9 * first[i] + 0.1 * d;
                            second[i] = 0.999 * second[i] + 0.001 * d * d;
                            double root = Math.sqrt(second[i] / (1 - Math.pow(0.999, t)));
                            exact[i] -=
                                    0.01 * 0.1 * exact[i]
                                            + 0.01
                                                    * first[i]
                                                    / (1 - Math.pow(0.9, t))
                                                    / (root + 1e-8);
                        }
                    }
                    for (int i = 0; i < n; i++) {
                        assertThat((double) w[1 + i]).isCloseTo(exact[i], within(1e-6));
                        assertThat((double) m[2 + i]).isCloseTo(first[i], within(1e-6));
                        assertThat((double) v[3 + i]).isCloseTo(second[i], within(1e-6));
                    }
                });
    }

    @Test
    void maskedAdamWIsADenseStepOnTheLiveEntriesAndTouchesNoOther() {
        Draws.each(
                60,
                draws -> {
                    int n = draws.between(50, 400);
                    int[] live =
                            java.util.stream.IntStream.range(0, n)
                                    .filter(i -> draws.between(0, 4) == 0)
                                    .toArray();
                    int k = live.length;
                    float[] w = draws.normal(n, 1);
                    float[] g = draws.normal(n, 1);
                    float[] m = draws.normal(k, 0.1);
                    float[] v = draws.uniform(k, 0, 0.1);
                    int[] steps = draws.integers(k, 3);
                    float[] dense = w.clone();
                    float[] mDense = new float[n];
                    float[] vDense = new float[n];
                    for (int j = 0; j < k; j++) {
                        int i = live[j];
                        mDense[i] = m[j];
                        vDense[i] = v[j];
                        var step = new AdamWStep(0.01, 0.9, 0.99, 1e-6, 0.1, steps[j] + 1, 2);
                        AdamWLoop.dense(
                                step, dense, i, g, i, mDense, i, vDense, i, dense, i, mDense, i,
                                vDense, i, 1);
                    }
                    var step = new AdamWStep(0.01, 0.9, 0.99, 1e-6, 0.1, 99, 2);
                    int[] counted = steps.clone();
                    AdamWLoop.masked(
                            step, live, 0, w, 0, g, 0, m, 0, v, 0, counted, 0, w, 0, m, 0, v, 0,
                            counted, 0, k);
                    for (int i = 0; i < n; i++) {
                        assertThat(w[i]).isCloseTo(dense[i], floatWithin(1e-6f));
                    }
                    for (int i = 0, j = 0; i < n; i++) {
                        if (j < k && live[j] == i) {
                            assertThat(counted[j]).isEqualTo(steps[j] + 1);
                            assertThat(m[j]).isEqualTo(mDense[i]);
                            assertThat(v[j]).isEqualTo(vDense[i]);
                            j++;
                        } else {
                            assertThat(w[i]).isEqualTo(dense[i]);
                        }
                    }
                });
    }

    @Test
    void sgdMatchesItsFormula() {
        Draws.each(
                60,
                draws -> {
                    int n = draws.length();
                    float[] w = draws.normal(n + 1, 1);
                    float[] g = draws.normal(n + 2, 1);
                    float[] b = draws.normal(n + 3, 1);
                    double[] buffer = new double[n];
                    double[] exact = new double[n];
                    for (int i = 0; i < n; i++) {
                        buffer[i] = 0.9 * b[3 + i] + 0.5 * g[2 + i] + 0.01 * w[1 + i];
                        exact[i] = w[1 + i] - 0.1 * buffer[i];
                    }
                    float[] to = Close.guarded(n + 2);
                    float[] bTo = Close.guarded(n + 2);
                    var step = new SgdStep(0.1, 0.9, 0.01, 0.5);
                    SgdLoop.run(step, w, 1, g, 2, b, 3, to, 1, bTo, 1, n);
                    Close.check("w", to, 1, exact, 2e-7);
                    Close.check("b", bTo, 1, buffer, 2e-7);
                });
    }

    @Test
    void squaresNeitherOverflowNorVanish() {
        assertThat(SumsOfSquares.total(new float[] {3e19f, 4e19f}, 0, 2))
                .isCloseTo(2.5e39, within(1e33));
        Draws.each(
                40,
                draws -> {
                    int n = draws.coin() ? draws.length() : draws.between(1, 50000);
                    float[] x = draws.normal(n + 1, 1e-20);
                    double exact = 0;
                    for (int i = 0; i < n; i++) {
                        exact += (double) x[1 + i] * x[1 + i];
                    }
                    double got = SumsOfSquares.total(x, 1, n);
                    assertThat(got).isCloseTo(exact, within(1e-13 * exact));
                });
    }

    @Test
    void finiteMeansEveryElement() {
        float[] bad = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
        Draws.each(
                100,
                draws -> {
                    int n = draws.between(0, 5) == 0 ? 40000 : draws.positiveLength();
                    float[] x = draws.normal(n + 2, 1e38 / 100);
                    x[0] = Float.NaN;
                    x[n + 1] = Float.NaN;
                    assertThat(SumsOfSquares.allFinite(x, 1, n)).isTrue();
                    x[1 + draws.between(0, n - 1)] = bad[draws.between(0, 2)];
                    assertThat(SumsOfSquares.allFinite(x, 1, n)).isFalse();
                });
    }

    @Test
    void sameBitsForAnyNumberOfThreads() {
        Draws.each(
                2,
                draws -> {
                    int n = 3 * Elementwise.GRAIN + 5;
                    float[] w = draws.normal(n, 1);
                    float[] g = draws.normal(n, 1);
                    var step = new AdamWStep(0.01, 0.9, 0.999, 1e-8, 0.1, 1, 1);
                    var both =
                            Draws.withOneAndThreeThreads(() -> {
                                float[] y = new float[3 * n + 1];
                                AdamWLoop.dense(
                                        step, w, 0, g, 0, w, 0, g, 0, y, 0, y, n, y, 2 * n, n);
                                y[3 * n] = (float) SumsOfSquares.total(w, 0, n);
                                return y;
                            });
                    assertThat(both.get(1)).isEqualTo(both.get(0));
                });
    }

    private static org.assertj.core.data.Offset<Double> within(double by) {
        return org.assertj.core.api.Assertions.within(by);
    }

    private static org.assertj.core.data.Offset<Float> floatWithin(float by) {
        return org.assertj.core.api.Assertions.within(by);
    }
}
