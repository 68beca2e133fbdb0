package io.github.panagrad.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class NormRowsTest {
    private static final double EPS = 1e-5;

    /// One normalisation in doubles: values and gradients for given x, w, b and dy.
    private static final class Exact {
        final double[] y;
        final double[] dx;
        final double[] dw;
        final double[] db;

        /// The largest |w·dy|/rms: dx is a difference of such terms, and its error in proportion.
        double steepest;

        Exact(float[] x, float[] w, float[] b, float[] dy, int rows, int n, boolean centred) {
            y = new double[rows * n];
            dx = new double[rows * n];
            dw = new double[n];
            db = new double[n];
            for (int r = 0; r < rows; r++) {
                double mean = 0;
                for (int i = 0; centred && i < n; i++) {
                    mean += x[1 + r * n + i] / (double) n;
                }
                double square = 0;
                for (int i = 0; i < n; i++) {
                    square += Math.pow(x[1 + r * n + i] - mean, 2) / n;
                }
                double s = 1 / Math.sqrt(square + EPS);
                double meanG = 0;
                double meanGh = 0;
                for (int i = 0; i < n; i++) {
                    double h = (x[1 + r * n + i] - mean) * s;
                    double g = (double) w[2 + i] * dy[3 + r * n + i];
                    y[r * n + i] = w[2 + i] * h + (centred ? b[i] : 0);
                    steepest = Math.max(steepest, Math.abs(g * s));
                    meanG += centred ? g / n : 0;
                    meanGh += g * h / n;
                    dw[i] += dy[3 + r * n + i] * h;
                    db[i] += dy[3 + r * n + i];
                }
                for (int i = 0; i < n; i++) {
                    double h = (x[1 + r * n + i] - mean) * s;
                    double g = (double) w[2 + i] * dy[3 + r * n + i];
                    dx[r * n + i] = s * (g - meanG - h * meanGh);
                }
            }
        }
    }

    private static int width(Draws draws) {
        return draws.between(0, 9) == 0 ? draws.between(1000, 2100) : draws.positiveLength();
    }

    @Test
    void rmsNormMatchesDoubles() {
        Draws.each(
                120,
                draws -> {
                    int n = width(draws);
                    int rows = n < 40 ? draws.between(1, 700) : draws.between(1, 9);
                    float[] x = draws.normal(1 + rows * n, 2);
                    float[] w = draws.uniform(2 + n, 0.5, 2);
                    float[] dy = draws.normal(3 + rows * n, 1);
                    var exact = new Exact(x, w, new float[0], dy, rows, n, false);
                    float[] y = Close.guarded(rows * n + 3);
                    RmsNormRows.forward(x, 1, w, 2, EPS, y, 1, rows, n);
                    Close.check("y", y, 1, exact.y, 1e-6);
                    float[] dx = Close.guarded(rows * n + 3);
                    float[] dw = Close.guarded(n + 3);
                    RmsNormRows.backward(x, 1, w, 2, EPS, dy, 3, dx, 2, dw, 1, rows, n);
                    Close.check("dx", dx, 2, exact.dx, 2e-6 * (1 + exact.steepest));
                    Close.check("dw", dw, 1, exact.dw, 2e-6);
                    float[] alone = Close.guarded(n + 3);
                    RmsNormRows.backward(x, 1, w, 2, EPS, dy, 3, null, 0, alone, 1, rows, n);
                    assertThat(alone).isEqualTo(dw);
                    float[] only = Close.guarded(rows * n + 3);
                    RmsNormRows.backward(x, 1, w, 2, EPS, dy, 3, only, 2, null, 0, rows, n);
                    assertThat(only).isEqualTo(dx);
                });
    }

    @Test
    void layerNormMatchesDoublesAlsoForALargeMean() {
        Draws.each(
                120,
                draws -> {
                    int n = width(draws);
                    int rows = n < 40 ? draws.between(1, 700) : draws.between(1, 9);
                    float[] x = draws.normal(1 + rows * n, 2);
                    if (draws.coin() && n > 8) {
                        for (int i = 0; i < x.length; i++) {
                            x[i] += 100;
                        }
                    }
                    float[] w = draws.uniform(2 + n, 0.5, 2);
                    float[] b = draws.normal(n, 1);
                    float[] dy = draws.normal(3 + rows * n, 1);
                    if (draws.coin() && n > 8) {
                        for (int i = 0; i < rows * n; i++) {
                            x[1 + i] -= i % n < 8 ? 600 : 0;
                        }
                    }
                    var exact = new Exact(x, w, b, dy, rows, n, true);
                    float[] y = Close.guarded(rows * n + 3);
                    LayerNormRows.forward(x, 1, w, 2, b, 0, EPS, y, 1, rows, n);
                    Close.check("y", y, 1, exact.y, 2e-5);
                    float[] dx = Close.guarded(rows * n + 3);
                    float[] dw = Close.guarded(n + 3);
                    float[] db = Close.guarded(n + 3);
                    LayerNormRows.backward(x, 1, w, 2, EPS, dy, 3, dx, 2, dw, 1, db, 2, rows, n);
                    Close.check("dx", dx, 2, exact.dx, 2e-5 * (1 + exact.steepest));
                    Close.check("dw", dw, 1, exact.dw, 2e-5);
                    Close.check("db", db, 2, exact.db, 2e-6);
                });
    }

    @Test
    void layerNormGivesOnlyTheGradientsAskedFor() {
        Draws.each(
                10,
                draws -> {
                    int n = width(draws);
                    int rows = draws.between(1, 40);
                    float[] x = draws.normal(rows * n, 2);
                    float[] w = draws.uniform(n, 0.5, 2);
                    float[] dy = draws.normal(rows * n, 1);
                    float[][] all = {new float[rows * n], new float[n], new float[n]};
                    LayerNormRows.backward(
                            x, 0, w, 0, EPS, dy, 0, all[0], 0, all[1], 0, all[2], 0, rows, n);
                    for (int which = 0; which < 3; which++) {
                        float[] one = new float[all[which].length];
                        LayerNormRows.backward(
                                x,
                                0,
                                w,
                                0,
                                EPS,
                                dy,
                                0,
                                which == 0 ? one : null,
                                0,
                                which == 1 ? one : null,
                                0,
                                which == 2 ? one : null,
                                0,
                                rows,
                                n);
                        assertThat(one).isEqualTo(all[which]);
                    }
                });
    }

    @Test
    void sameBitsForAnyNumberOfThreads() {
        Draws.each(
                3,
                draws -> {
                    int rows = draws.between(300, 700);
                    int n = draws.between(100, 300);
                    float[] x = draws.normal(rows * n, 1);
                    float[] w = draws.uniform(n, 0.5, 2);
                    float[] dy = draws.normal(rows * n, 1);
                    var both =
                            Draws.withOneAndThreeThreads(() -> {
                                int m = rows * n;
                                float[] y = new float[2 * m + 3 * n];
                                RmsNormRows.backward(
                                        x, 0, w, 0, EPS, dy, 0, y, 0, y, 2 * m, rows, n);
                                LayerNormRows.backward(
                                        x,
                                        0,
                                        w,
                                        0,
                                        EPS,
                                        dy,
                                        0,
                                        y,
                                        m,
                                        y,
                                        2 * m + n,
                                        y,
                                        2 * m + 2 * n,
                                        rows,
                                        n);
                                return y;
                            });
                    assertThat(both.get(1)).isEqualTo(both.get(0));
                });
    }
}
