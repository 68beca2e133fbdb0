package io.github.panagrad.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.ground.Rng;
import org.junit.jupiter.api.Test;

/// SwiGLU's backward, rotary embedding and dropout.
class RowOpsTest {
    @Test
    void swigluBackwardMatchesDoubles() {
        Draws.each(
                100,
                draws -> {
                    int n = draws.length();
                    float[] gate = draws.normal(n + 1, 4);
                    float[] up = draws.normal(n + 2, 1);
                    float[] dy = draws.normal(n + 3, 1);
                    double[] dGate = new double[n];
                    double[] dUp = new double[n];
                    for (int i = 0; i < n; i++) {
                        double x = gate[1 + i];
                        double s = VectorMathTest.sigmoid(x);
                        dGate[i] = (double) dy[3 + i] * up[2 + i] * s * (1 + x * (1 - s));
                        dUp[i] = dy[3 + i] * x * s;
                    }
                    float[] g = Close.guarded(n + 2);
                    float[] u = Close.guarded(n + 4);
                    SwigluRows.backward(gate, 1, up, 2, dy, 3, g, 1, u, 2, n);
                    Close.check("dGate", g, 1, dGate, 5e-7);
                    Close.check("dUp", u, 2, dUp, 5e-7);
                });
    }

    @Test
    void ropeTurnsEachPairByThePositionsAngle() {
        Draws.each(
                80,
                draws -> {
                    int batch = draws.between(1, 3);
                    int middle = draws.between(1, 3);
                    int tokens = draws.between(1, 5);
                    int heads = draws.between(1, 3);
                    int size = 2 * draws.positiveLength();
                    int rotary = draws.coin() ? size : 2 * draws.between(1, size / 2);
                    int positions = 9;
                    int half = rotary / 2;
                    float[] angles = draws.uniform(positions * half, -4, 4);
                    float[] cos = new float[1 + angles.length];
                    float[] sin = new float[2 + angles.length];
                    for (int i = 0; i < angles.length; i++) {
                        cos[1 + i] = (float) Math.cos(angles[i]);
                        sin[2 + i] = (float) Math.sin(angles[i]);
                    }
                    int[] ids = draws.integers(1 + batch * tokens, positions);
                    int n = batch * middle * tokens * heads * size;
                    float[] x = draws.normal(n + 1, 1);
                    double[] exact = new double[n];
                    for (int i = 0; i < n; i++) {
                        int vector = i / size;
                        int j = i % size;
                        int token =
                                vector / (heads * tokens * middle) * tokens
                                        + vector / heads % tokens;
                        int row = ids[1 + token] * half;
                        if (j < half) {
                            exact[i] =
                                    (double) x[1 + i] * cos[1 + row + j]
                                            - (double) x[1 + i + half] * sin[2 + row + j];
                        } else if (j < rotary) {
                            exact[i] =
                                    (double) x[1 + i] * cos[1 + row + j - half]
                                            + (double) x[1 + i - half] * sin[2 + row + j - half];
                        } else {
                            exact[i] = x[1 + i];
                        }
                    }
                    float[] y = Close.guarded(n + 4);
                    RopeRows.turn(
                            x, 1, cos, 1, sin, 2, ids, 1, batch, middle, tokens, heads, size,
                            rotary, 1, y, 2);
                    Close.check("rope", y, 2, exact, 2e-7);
                    RopeRows.turn(
                            y, 2, cos, 1, sin, 2, ids, 1, batch, middle, tokens, heads, size,
                            rotary, -1, y, 2);
                    double[] back = new double[n];
                    java.util.Arrays.setAll(back, i -> x[1 + i]);
                    Close.check("turned back", y, 2, back, 5e-7);
                });
    }

    @Test
    void dropoutKeepsExactlyWhereTheDrawSaysSo() {
        Draws.each(
                60,
                draws -> {
                    int n = draws.length();
                    Rng.Draw draw = new Rng.Draw(draws.between(0, 9999) * 77777777777L, n);
                    double p = draws.coin() ? 0.1 : draws.between(0, 99) / 100.0;
                    long first = draws.coin() ? draws.between(0, 9) : (1L << 33) + 3;
                    float[] x = draws.normal(n + 1, 1);
                    double[] exact = new double[n];
                    for (int i = 0; i < n; i++) {
                        boolean kept = draw.uniform(first + i) >= (float) p;
                        exact[i] = kept ? x[1 + i] * (float) (1 / (1 - p)) : 0;
                    }
                    float[] y = Close.guarded(n + 3);
                    DropoutLoop.run(draw, p, first, x, 1, y, 2, n);
                    Close.check("dropout", y, 2, exact, 0);
                });
    }

    @Test
    void sameBitsForAnyNumberOfThreads() {
        Draws.each(
                2,
                draws -> {
                    int n = 4 * Elementwise.GRAIN + 5;
                    float[] x = draws.normal(n, 1);
                    var both =
                            Draws.withOneAndThreeThreads(() -> {
                                float[] y = new float[3 * n];
                                DropoutLoop.run(Rng.of(3).draw(), 0.3, 1, x, 0, y, 0, n);
                                SwigluRows.backward(x, 0, x, 0, x, 0, y, n, y, 2 * n, n);
                                return y;
                            });
                    assertThat(both.get(1)).isEqualTo(both.get(0));
                });
    }
}
