package io.github.panagrad.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ElementwiseTest {
    private static final float P = -0.75f;
    private static final float Q = 1.25f;

    @ParameterizedTest
    @EnumSource(UnaryFn.class)
    void unaryMatchesItsFormula(UnaryFn fn) {
        Draws.each(
                60,
                draws -> {
                    int n = draws.length();
                    int xo = draws.offset();
                    int yo = draws.offset();
                    boolean positive =
                            fn == UnaryFn.LOG || fn == UnaryFn.SQRT || fn == UnaryFn.RSQRT;
                    float[] x = draws.uniform(n + xo, positive ? 0.1 : -5, 5);
                    float[] y = filled(n + yo + 3);
                    Elementwise.unary(fn, P, Q, x, xo, y, yo, n);
                    for (int i = 0; i < n; i++) {
                        double exact = formula(fn).applyAsDouble(x[xo + i]);
                        assertThat((double) y[yo + i])
                                .as("%s(%s)", fn, x[xo + i])
                                .isCloseTo(exact, within(tolerance(x[xo + i], exact)));
                    }
                    assertUntouched(y, yo, n);
                });
    }

    @ParameterizedTest
    @EnumSource(BinaryFn.class)
    void binaryMatchesItsFormulaForEveryWayToBroadcast(BinaryFn fn) {
        Draws.each(
                80,
                draws -> {
                    int[] shape = {
                        draws.between(1, 4), draws.between(1, 5), draws.positiveLength()
                    };
                    int[] as = strides(draws, shape);
                    int[] bs = strides(draws, shape);
                    int n = shape[0] * shape[1] * shape[2];
                    int ao = draws.offset();
                    int bo = draws.offset();
                    int yo = draws.offset();
                    float[] a = draws.normal(ao + span(shape, as), 2);
                    float[] b = draws.uniform(bo + span(shape, bs), 0.2, 3);
                    float[] y = filled(n + yo + 3);
                    Elementwise.binary(
                            fn, P, Q, StridedWalk.over(shape, as, bs), a, ao, b, bo, y, yo);
                    int at = yo;
                    for (int i = 0; i < shape[0]; i++) {
                        for (int j = 0; j < shape[1]; j++) {
                            for (int k = 0; k < shape[2]; k++) {
                                double l = a[ao + i * as[0] + j * as[1] + k * as[2]];
                                double r = b[bo + i * bs[0] + j * bs[1] + k * bs[2]];
                                double exact = formula(fn).applyAsDouble(l, r);
                                assertThat((double) y[at++])
                                        .as("%s(%s, %s)", fn, l, r)
                                        .isCloseTo(
                                                exact, within(1e-6 * Math.max(1, Math.abs(exact))));
                            }
                        }
                    }
                    assertUntouched(y, yo, n);
                });
    }

    @ParameterizedTest
    @EnumSource(RelationFn.class)
    void relationMatchesJavaAlsoForNaN(RelationFn fn) {
        Draws.each(
                40,
                draws -> {
                    int[] shape = {draws.between(1, 4), draws.positiveLength()};
                    int[] as = strides(draws, shape);
                    int[] bs = strides(draws, shape);
                    float[] a = coarse(draws, 1 + span(shape, as));
                    float[] b = coarse(draws, 2 + span(shape, bs));
                    byte[] y = new byte[shape[0] * shape[1] + 3];
                    Arrays.fill(y, (byte) 9);
                    Elementwise.relation(fn, StridedWalk.over(shape, as, bs), a, 1, b, 2, y, 1);
                    for (int i = 0; i < shape[0] * shape[1]; i++) {
                        float l = a[1 + i / shape[1] * as[0] + i % shape[1] * as[1]];
                        float r = b[2 + i / shape[1] * bs[0] + i % shape[1] * bs[1]];
                        assertThat(y[1 + i])
                                .as("%s(%s, %s)", fn, l, r)
                                .isEqualTo((byte) (holds(fn, l, r) ? 1 : 0));
                    }
                    assertThat(y[0]).isEqualTo((byte) 9);
                    assertThat(y[y.length - 1]).isEqualTo((byte) 9);
                });
    }

    @Test
    void whereTakesTheFirstForAnyNonZeroByte() {
        Draws.each(
                60,
                draws -> {
                    int[] shape = {draws.between(1, 4), draws.positiveLength()};
                    int[] cs = strides(draws, shape);
                    int[] as = strides(draws, shape);
                    int[] bs = strides(draws, shape);
                    byte[] c = new byte[1 + span(shape, cs)];
                    for (int i = 0; i < c.length; i++) {
                        c[i] = (byte) (draws.coin() ? 0 : draws.between(-128, 127));
                    }
                    float[] a = draws.normal(2 + span(shape, as), 1);
                    float[] b = draws.normal(3 + span(shape, bs), 1);
                    float[] y = filled(shape[0] * shape[1] + 4);
                    Elementwise.where(StridedWalk.over(shape, cs, as, bs), c, 1, a, 2, b, 3, y, 1);
                    for (int i = 0; i < shape[0] * shape[1]; i++) {
                        int row = i / shape[1];
                        int col = i % shape[1];
                        boolean chosen = c[1 + row * cs[0] + col * cs[1]] != 0;
                        assertThat(y[1 + i])
                                .isEqualTo(
                                        chosen
                                                ? a[2 + row * as[0] + col * as[1]]
                                                : b[3 + row * bs[0] + col * bs[1]]);
                    }
                    assertUntouched(y, 1, shape[0] * shape[1]);
                });
    }

    @Test
    void powMatchesMathForWholeAndBrokenExponents() {
        Draws.each(
                20,
                draws -> {
                    int n = draws.length();
                    float[] x = draws.uniform(n + 1, 0.1, 4);
                    for (double p : new double[] {0, 1, 2, 3, -1, 0.5, -0.5, 1.7, -2}) {
                        float[] y = filled(n + 5);
                        Elementwise.pow(x, 1, p, y, 2, n);
                        for (int i = 0; i < n; i++) {
                            double exact = Math.pow(x[1 + i], p);
                            assertThat((double) y[2 + i]).isCloseTo(exact, within(2e-7 * exact));
                        }
                        assertUntouched(y, 2, n);
                    }
                });
    }

    @Test
    void powOfTwoOperandsBroadcasts() {
        float[] y = new float[6];
        var walk = StridedWalk.over(new int[] {2, 3}, new int[] {1, 0}, new int[] {0, 1});
        Elementwise.pow(walk, new float[] {2, 3}, 0, new float[] {0, 1, -1}, 0, y, 0);
        assertThat(y).containsExactly(1, 2, 0.5f, 1, 3, 1 / 3f);
    }

    @Test
    void specialValuesGoThrough() {
        float inf = Float.POSITIVE_INFINITY;
        float nan = Float.NaN;
        assertThat(at(UnaryFn.RELU, -inf, -0f, inf, nan)).containsExactly(0, -0f, inf, nan);
        assertThat(at(UnaryFn.SIGN, -inf, 0, inf, nan)).containsExactly(-1, 0, 1, nan);
        assertThat(at(UnaryFn.CLAMP, -inf, inf, nan)).containsExactly(P, Q, nan);
        assertThat(at(UnaryFn.STEP, -inf, inf, nan)).containsExactly(0, 1, nan);
        assertThat(at(UnaryFn.SQRT, -1, inf, nan)).containsExactly(nan, inf, nan);
        assertThat(at(UnaryFn.RSQRT, 0, inf, nan)).containsExactly(inf, 0, nan);
        assertThat(at(UnaryFn.SILU, inf, nan)).containsExactly(inf, nan);
        assertThat(at(UnaryFn.GELU, inf, nan)).containsExactly(inf, nan);
        assertThat(at(UnaryFn.GELU_TANH, inf, nan)).containsExactly(inf, nan);
        float[] y = new float[3];
        var walk = StridedWalk.over(new int[] {3}, new int[] {1}, new int[] {1});
        float[] a = {1, nan, nan};
        float[] b = {nan, 1, nan};
        Elementwise.binary(BinaryFn.MAX, 0, 0, walk, a, 0, b, 0, y, 0);
        assertThat(y).containsExactly(nan, nan, nan);
    }

    @Test
    void anElementsBitsDoNotDependOnItsPlaceOrTheThreads() {
        Draws.each(
                2,
                draws -> {
                    int n = 3 * Elementwise.GRAIN + 77;
                    float[] x = draws.normal(n, 3);
                    for (UnaryFn fn : UnaryFn.values()) {
                        var both =
                                Draws.withOneAndThreeThreads(() -> {
                                    float[] y = new float[n];
                                    Elementwise.unary(fn, P, Q, x, 0, y, 0, n);
                                    return y;
                                });
                        assertThat(both.get(1)).as(fn.name()).isEqualTo(both.get(0));
                        float[] alone = new float[1];
                        for (int i = n - 40; i < n; i++) {
                            Elementwise.unary(fn, P, Q, x, i, alone, 0, 1);
                            assertThat(Float.floatToIntBits(alone[0]))
                                    .as(fn.name())
                                    .isEqualTo(Float.floatToIntBits(both.get(0)[i]));
                        }
                    }
                });
    }

    /// Φ is exact to its absolute value only, hence an error in proportion to x.
    private static double tolerance(double x, double exact) {
        return 4e-7 * Math.max(1, Math.max(Math.abs(x), Math.abs(exact)));
    }

    private static float[] at(UnaryFn fn, float... x) {
        float[] y = new float[x.length];
        Elementwise.unary(fn, P, Q, x, 0, y, 0, x.length);
        return y;
    }

    /// Few distinct values, so that equal pairs occur, some of them NaN.
    private static float[] coarse(Draws draws, int n) {
        float[] values = new float[n];
        int[] picks = draws.integers(n, 5);
        for (int i = 0; i < n; i++) {
            values[i] = picks[i] == 4 ? Float.NaN : picks[i];
        }
        return values;
    }

    private static float[] filled(int n) {
        float[] y = new float[n];
        Arrays.fill(y, 12345f);
        return y;
    }

    private static void assertUntouched(float[] y, int yo, int n) {
        for (int i = 0; i < y.length; i++) {
            if (i < yo || i >= yo + n) {
                assertThat(y[i]).as("element %s beside the result", i).isEqualTo(12345f);
            }
        }
    }

    /// Strides of an operand that is contiguous, permuted, spread, or repeated in some dimensions.
    private static int[] strides(Draws draws, int[] shape) {
        int rank = shape.length;
        int[] order = new int[rank];
        Arrays.setAll(order, i -> i);
        if (draws.between(0, 3) == 0) {
            for (int i = rank - 1; i > 0; i--) {
                int j = draws.between(0, i);
                int keep = order[i];
                order[i] = order[j];
                order[j] = keep;
            }
        }
        int[] strides = new int[rank];
        int stride = draws.between(0, 5) == 0 ? 2 : 1;
        for (int i = rank - 1; i >= 0; i--) {
            if (draws.between(0, 3) != 0) {
                strides[order[i]] = stride;
                stride *= shape[order[i]];
            }
        }
        return strides;
    }

    private static int span(int[] shape, int[] strides) {
        int last = 0;
        for (int i = 0; i < shape.length; i++) {
            last += (shape[i] - 1) * strides[i];
        }
        return last + 1;
    }

    private static boolean holds(RelationFn fn, float a, float b) {
        return switch (fn) {
            case LESS -> a < b;
            case LESS_EQUAL -> a <= b;
            case GREATER -> a > b;
            case GREATER_EQUAL -> a >= b;
            case EQUAL -> a == b;
            case NOT_EQUAL -> a != b;
        };
    }

    private static DoubleUnaryOperator formula(UnaryFn fn) {
        return switch (fn) {
            case EXP -> Math::exp;
            case LOG -> Math::log;
            case SQRT -> Math::sqrt;
            case RSQRT -> x -> 1 / Math.sqrt(x);
            case RECIPROCAL -> x -> 1 / x;
            case SQUARE -> x -> x * x;
            case CUBE -> x -> x * x * x;
            case ABSOLUTE -> Math::abs;
            case SIGN -> Math::signum;
            case SIN -> Math::sin;
            case COS -> Math::cos;
            case TANH -> Math::tanh;
            case ERF -> VectorMathTest::erf;
            case SIGMOID -> VectorMathTest::sigmoid;
            case SOFTPLUS -> x -> Math.log1p(Math.exp(x));
            case RELU -> x -> Math.max(x, 0);
            case LEAKY_RELU -> x -> x < 0 ? P * x : x;
            case SILU -> x -> x * VectorMathTest.sigmoid(x);
            case GELU -> x -> x * cdf(x);
            case GELU_TANH -> x -> 0.5 * x * (1 + Math.tanh(geluInner(x)));
            case CLAMP -> x -> Math.min(Math.max(x, P), Q);
            case STEP -> x -> x > P ? 1 : 0;
            case AFFINE -> x -> P * x + Q;
            case SHIFTED_EXP -> x -> Q * Math.exp(x - P);
        };
    }

    private static DoubleBinaryOperator formula(BinaryFn fn) {
        return switch (fn) {
            case ADD -> (a, b) -> a + b;
            case SUB -> (a, b) -> a - b;
            case MUL -> (a, b) -> a * b;
            case DIV -> (a, b) -> a / b;
            case MIN -> Math::min;
            case MAX -> Math::max;
            case SWIGLU -> (a, b) -> a * VectorMathTest.sigmoid(a) * b;
            case SQRT_GRAD_OF_RESULT -> (y, d) -> d / (2 * y);
            case RSQRT_GRAD_OF_RESULT -> (y, d) -> -0.5 * y * y * y * d;
            case TANH_GRAD_OF_RESULT -> (y, d) -> (1 - y * y) * d;
            case SIGMOID_GRAD_OF_RESULT -> (y, d) -> y * (1 - y) * d;
            case SOFTMAX_GRAD_OF_RESULT -> (y, d) -> y * (d - P);
            case LOG_SOFTMAX_GRAD_OF_RESULT -> (y, d) -> d - P * Math.exp(y);
            case ABSOLUTE_GRAD -> (x, d) -> Math.signum(x) * d;
            case SIN_GRAD -> slope(Math::sin);
            case COS_GRAD -> slope(Math::cos);
            case ERF_GRAD -> (x, d) -> 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * d;
            case SOFTPLUS_GRAD -> (x, d) -> VectorMathTest.sigmoid(x) * d;
            case RELU_GRAD -> (x, d) -> x > 0 ? d : 0;
            case LEAKY_RELU_GRAD -> (x, d) -> x > 0 ? d : P * d;
            case SILU_GRAD -> slope(x -> x * VectorMathTest.sigmoid(x));
            case GELU_GRAD ->
                    (x, d) -> d * (cdf(x) + x * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI));
            case GELU_TANH_GRAD -> slope(x -> 0.5 * x * (1 + Math.tanh(geluInner(x))));
            case CLAMP_GRAD -> (x, d) -> x >= P && x <= Q ? d : 0;
        };
    }

    /// The derivative by fourth-order differences, times d.
    private static DoubleBinaryOperator slope(DoubleUnaryOperator f) {
        double h = 1e-3;
        return (x, d) -> {
            double near = f.applyAsDouble(x + h) - f.applyAsDouble(x - h);
            double far = f.applyAsDouble(x + 2 * h) - f.applyAsDouble(x - 2 * h);
            return (8 * near - far) / (12 * h) * d;
        };
    }

    private static double cdf(double x) {
        return 0.5 + 0.5 * VectorMathTest.erf(x / Math.sqrt(2));
    }

    private static double geluInner(double x) {
        return Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
    }
}
