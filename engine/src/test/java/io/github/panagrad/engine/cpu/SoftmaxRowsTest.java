package io.github.panagrad.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SoftmaxRowsTest {
    private static final float INF = Float.POSITIVE_INFINITY;

    private record Case(int rows, int n, float[] x, float[] d) {
        static Case of(Draws draws) {
            int rows = draws.between(1, 5);
            int n = draws.between(0, 9) == 0 ? draws.between(1000, 2500) : draws.positiveLength();
            return new Case(rows, n, draws.normal(1 + rows * n, 4), draws.normal(2 + rows * n, 1));
        }

        double lse(int row) {
            double max = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < n; i++) {
                max = Math.max(max, x[1 + row * n + i]);
            }
            double sum = 0;
            for (int i = 0; i < n; i++) {
                sum += Math.exp(x[1 + row * n + i] - max);
            }
            return max + Math.log(sum);
        }

        double[] eachElement(java.util.function.IntToDoubleFunction f) {
            double[] all = new double[rows * n];
            java.util.Arrays.setAll(all, f);
            return all;
        }
    }

    @Test
    void forwardFormsMatchDoubles() {
        Draws.each(
                150,
                draws -> {
                    Case c = Case.of(draws);
                    double[] log = c.eachElement(i -> c.x[1 + i] - c.lse(i / c.n));
                    float[] y = Close.guarded(c.rows * c.n + 5);
                    SoftmaxRows.forward(c.x, 1, y, 3, c.rows, c.n);
                    Close.check("softmax", y, 3, c.eachElement(i -> Math.exp(log[i])), 1e-6);
                    y = Close.guarded(c.rows * c.n + 5);
                    SoftmaxRows.logForward(c.x, 1, y, 3, c.rows, c.n);
                    Close.check("log", y, 3, log, 3e-7);
                    float[] lse = Close.guarded(c.rows + 3);
                    SoftmaxRows.logSumExp(c.x, 1, lse, 2, c.rows, c.n);
                    double[] exact = new double[c.rows];
                    java.util.Arrays.setAll(exact, c::lse);
                    Close.check("lse", lse, 2, exact, 2e-7);
                });
    }

    @Test
    void backwardFormsMatchDoubles() {
        Draws.each(
                150,
                draws -> {
                    Case c = Case.of(draws);
                    int total = c.rows * c.n;
                    float[] y = new float[total];
                    SoftmaxRows.forward(c.x, 1, y, 0, c.rows, c.n);
                    double[] dots = new double[c.rows];
                    double[] sums = new double[c.rows];
                    for (int i = 0; i < total; i++) {
                        dots[i / c.n] += (double) y[i] * c.d[2 + i];
                        sums[i / c.n] += c.d[2 + i];
                    }
                    float[] dx = Close.guarded(total + 2);
                    SoftmaxRows.backward(y, 0, c.d, 2, dx, 1, c.rows, c.n);
                    Close.check(
                            "softmax",
                            dx,
                            1,
                            c.eachElement(i -> y[i] * (c.d[2 + i] - dots[i / c.n])),
                            5e-7);
                    float[] log = new float[total];
                    SoftmaxRows.logForward(c.x, 1, log, 0, c.rows, c.n);
                    dx = Close.guarded(total + 2);
                    SoftmaxRows.logBackward(log, 0, c.d, 2, dx, 1, c.rows, c.n);
                    Close.check(
                            "log",
                            dx,
                            1,
                            c.eachElement(i -> c.d[2 + i] - Math.exp(log[i]) * sums[i / c.n]),
                            2e-6);
                    float[] lse = new float[c.rows];
                    SoftmaxRows.logSumExp(c.x, 1, lse, 0, c.rows, c.n);
                    dx = Close.guarded(total + 2);
                    SoftmaxRows.logSumExpBackward(c.x, 1, lse, 0, c.d, 0, dx, 1, c.rows, c.n);
                    Close.check(
                            "lse",
                            dx,
                            1,
                            c.eachElement(i -> Math.exp(c.x[1 + i] - lse[i / c.n]) * c.d[i / c.n]),
                            1e-6);
                });
    }

    @Test
    void infinitiesAndNaN() {
        assertThat(softmax(0, -INF, 0)).containsExactly(0.5f, 0, 0.5f);
        assertThat(softmax(-INF, -INF)).containsOnly(Float.NaN);
        assertThat(softmax(1, Float.NaN, 2)).containsOnly(Float.NaN);
        assertThat(softmax(-3e38f, 3e38f)).containsExactly(0, 1);
        assertThat(SoftmaxRows.logSumExp(new float[] {-INF, -INF}, 0, 2)).isEqualTo(-INF);
        assertThat(SoftmaxRows.logSumExp(new float[] {INF, 1}, 0, 2)).isEqualTo(INF);
        assertThat(SoftmaxRows.logSumExp(new float[] {-INF, Float.NaN}, 0, 2)).isNaN();
        assertThat(SoftmaxRows.logSumExp(new float[] {3, Float.NaN}, 0, 2)).isNaN();
        assertThat(SoftmaxRows.logSumExp(new float[] {3e38f, 3e38f}, 0, 2)).isEqualTo(3e38f);
    }

    private static float[] softmax(float... x) {
        float[] y = new float[x.length];
        SoftmaxRows.forward(x, 0, y, 0, 1, x.length);
        return y;
    }

    @Test
    void sameBitsForAnyNumberOfThreads() {
        Draws.each(
                2,
                draws -> {
                    int rows = 300;
                    int n = draws.between(100, 300);
                    float[] x = draws.normal(rows * n, 3);
                    float[] d = draws.normal(rows * n, 1);
                    var both =
                            Draws.withOneAndThreeThreads(() -> {
                                float[] y = new float[rows * n];
                                SoftmaxRows.forward(x, 0, y, 0, rows, n);
                                SoftmaxRows.backward(y, 0, d, 0, y, 0, rows, n);
                                return y;
                            });
                    assertThat(both.get(1)).isEqualTo(both.get(0));
                });
    }
}
