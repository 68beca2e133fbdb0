package io.github.panagrad.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

/// Vector functions against [Math], over every magnitude a float can have.
class VectorMathTest {
    /// Steps through the bit patterns of all floats, signs, denormals and NaN included.
    private static final int STRIDE = 4099;

    /// An absolute error of 1.2e-38, where results below the normal range become zero.
    private static final double FLUSHED = 1.2e-38 / 1e-7;

    @Test
    void expIsExactToThreeQuartersOfAnUlpOverTheWholeRange() {
        assertThat(worst(VectorMath::exp, Math::exp, 0, -200, 200)).isLessThan(1.0e-7);
    }

    @Test
    void expNonPositiveIsExactWhereTheResultIsNormal() {
        assertThat(worst(VectorMath::expNonPositive, Math::exp, FLUSHED, -1e30, 0))
                .isLessThan(1.0e-7);
    }

    @Test
    void logIsExactRelativeToItsValueAndNearOneToTheDistance() {
        assertThat(worst(VectorMath::log, Math::log, 0, 0, Float.MAX_VALUE)).isLessThan(1.2e-7);
    }

    @Test
    void tanhIsExactRelativeToItsValue() {
        assertThat(worst(VectorMath::tanh, Math::tanh, 0, -1e30, 1e30)).isLessThan(3.0e-7);
    }

    @Test
    void sigmoidIsExactRelativeToItsValueUntilItSaturates() {
        assertThat(worst(VectorMath::sigmoid, VectorMathTest::sigmoid, FLUSHED, -1e30, 1e30))
                .isLessThan(2.0e-7);
    }

    @Test
    void siluIsExactRelativeToItsValueUntilTheLogisticSaturates() {
        assertThat(worst(VectorMath::silu, x -> x * sigmoid(x), 1e-30, -80, 1e30))
                .isLessThan(2.5e-7);
    }

    @Test
    void softplusIsExactRelativeToItsValue() {
        DoubleUnaryOperator exact = x -> Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
        assertThat(worst(VectorMath::softplus, exact, FLUSHED, -1e30, 1e30)).isLessThan(2.0e-7);
    }

    @Test
    void erfIsExactRelativeToItsValue() {
        assertThat(worst(VectorMath::erf, VectorMathTest::erf, 0, -1e30, 1e30)).isLessThan(3.0e-7);
    }

    @Test
    void sineAndCosineAreExactToTheirAmplitudeForAllArguments() {
        assertThat(worst(VectorMath::sin, Math::sin, 1, -1e30, 1e30)).isLessThan(1.0e-7);
        assertThat(worst(VectorMath::cos, Math::cos, 1, -1e30, 1e30)).isLessThan(1.0e-7);
    }

    @Test
    void sineKeepsItsRelativePrecisionNextToZero() {
        assertThat(worst(VectorMath::sin, Math::sin, 0, -0.7, 0.7)).isLessThan(1.2e-7);
    }

    @Test
    void normalDistributionMatchesItsDensityAndTails() {
        DoubleUnaryOperator cdf = x -> 0.5 + 0.5 * erf(x / Math.sqrt(2));
        assertThat(worst(VectorMath::normalCdf, cdf, 1, -1e30, 1e30)).isLessThan(1.5e-7);
        DoubleUnaryOperator pdf = x -> Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
        assertThat(worst(VectorMath::normalPdf, pdf, 1e-3, -30, 30)).isLessThan(1e-6);
    }

    @Test
    void specialValuesGoWhereTheyGoInMath() {
        float inf = Float.POSITIVE_INFINITY;
        float odd = Float.intBitsToFloat(0x7FC12345);
        assertThat(at(VectorMath::exp, inf, -inf, 0f, -0f, 89f, -104f, 88.7f))
                .containsExactly(inf, 0f, 1f, 1f, inf, 0f, (float) Math.exp(88.7f));
        assertThat(at(VectorMath::exp, odd, 5f)[0]).isNaN();
        assertThat(at(VectorMath::exp, odd, 500f)[0]).isNaN();
        assertThat(at(VectorMath::expNonPositive, -inf, -200f, 0f, odd))
                .containsExactly(0f, 0f, 1f, Float.NaN);
        assertThat(at(VectorMath::log, inf, 0f, -0f, 1f, -1f, -inf, odd))
                .containsExactly(inf, -inf, -inf, 0f, Float.NaN, Float.NaN, Float.NaN);
        assertThat(at(VectorMath::tanh, inf, -inf, -0f, odd))
                .containsExactly(1f, -1f, -0f, Float.NaN);
        assertThat(at(VectorMath::erf, inf, -inf, -0f, odd))
                .containsExactly(1f, -1f, -0f, Float.NaN);
        assertThat(at(VectorMath::sigmoid, inf, 0f, odd)).containsExactly(1f, 0.5f, Float.NaN);
        assertThat(at(VectorMath::sigmoid, -inf)[0]).isBetween(0f, 1.3e-38f);
        assertThat(at(VectorMath::softplus, inf, -inf, 0f, odd))
                .containsExactly(inf, 0f, (float) Math.log(2), Float.NaN);
        assertThat(at(VectorMath::sin, inf, -0f, odd)).containsExactly(Float.NaN, -0f, Float.NaN);
        assertThat(at(VectorMath::cos, inf, 0f, odd)).containsExactly(Float.NaN, 1f, Float.NaN);
    }

    /// The largest |f − exact| / max(|exact|, floor) on [low, high]; one denormal step is forgiven.
    private static double worst(
            UnaryOperator<FloatVector> f,
            DoubleUnaryOperator exact,
            double floor,
            double low,
            double high) {
        int lanes = Lanes.V;
        float[] x = new float[lanes];
        float[] y = new float[lanes];
        double worst = 0;
        int filled = 0;
        for (long pattern = 0; pattern < 1L << 32; pattern += STRIDE) {
            float value = Float.intBitsToFloat((int) pattern);
            if (!(value >= low && value <= high)) {
                continue;
            }
            x[filled++] = value;
            if (filled == lanes) {
                f.apply(FloatVector.fromArray(Lanes.F, x, 0)).intoArray(y, 0);
                for (int i = 0; i < lanes; i++) {
                    worst = Math.max(worst, error(y[i], exact.applyAsDouble(x[i]), floor));
                }
                filled = 0;
            }
        }
        return worst;
    }

    private static double error(float got, double exact, double floor) {
        if (got == (float) exact) {
            return 0;
        }
        double error = Math.abs(got - exact) - Float.MIN_VALUE;
        return Double.isNaN(error)
                ? Double.POSITIVE_INFINITY
                : error / Math.max(Math.abs(exact), floor);
    }

    /// Applies f to the values, each in a vector with the others and zeros.
    private static float[] at(UnaryOperator<FloatVector> f, float... values) {
        float[] y = new float[values.length];
        for (int i = 0; i < values.length; i += Lanes.V) {
            var mask = Lanes.F.indexInRange(i, values.length);
            f.apply(FloatVector.fromArray(Lanes.F, values, i, mask)).intoArray(y, i, mask);
        }
        return y;
    }

    static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    /// By its series below 3, by the continued fraction of its complement above.
    static double erf(double x) {
        double a = Math.abs(x);
        if (a > 6) {
            return Math.signum(x);
        }
        if (a < 3) {
            double term = x;
            double sum = x;
            for (int k = 1; Math.abs(term) > 1e-18 * Math.abs(sum); k++) {
                term *= -x * x / k;
                sum += term / (2 * k + 1);
            }
            return 2 / Math.sqrt(Math.PI) * sum;
        }
        double tail = 0;
        for (int k = 60; k > 0; k--) {
            tail = k / 2.0 / (a + tail);
        }
        double complement = Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + tail);
        return Math.signum(x) * (1 - complement);
    }
}
