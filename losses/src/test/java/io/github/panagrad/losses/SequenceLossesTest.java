package io.github.panagrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.check.GradCheck;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SequenceLossesTest {
    private static Tensor vector(double... values) {
        return Ops.tensor64(values, values.length);
    }

    @ParameterizedTest
    @CsvSource({
        "0.1, 1, 2.302585, 1",
        "0.1, 8, 0.562939, 0.671845",
        "0.5, 8, 0.00391390, 0.0313725",
        "0.01, 64, 0.745697, 0.716225",
        "1e-6, 256, 8.270461, 0.999873"
    })
    void coverageHasTheValuesAndSlopesOfItsFormula(double p, double n, double loss, double factor) {
        Tensor log = vector(Math.log(p)).requireGrad();
        Tensor value = SequenceLosses.dco(log, n);
        assertThat(value.at(0)).isCloseTo(loss, offset(1e-6));
        assertThat(SequenceLosses.coverageWeight(log, n).at(0)).isCloseTo(factor, offset(1e-6));
        assertThat(value.sum().backward().get(log).at(0)).isCloseTo(-factor, offset(1e-6));
    }

    @Test
    void coverageHasTheRightGradient() {
        Tensor logs = vector(-50, -12, -3, -0.8, -0.05, -1e-3);
        for (double n : new double[] {1, 2, 16, 4096}) {
            assertThat(GradCheck.maxError(x -> SequenceLosses.dco(x, n).sum(), logs))
                    .as("n = %s", n)
                    .isLessThan(1e-6);
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {1, 2, 8, 64, 256, 4096})
    void coverageStaysFiniteAndRightInSinglePrecision(double n) {
        float[] logs = {-200, -100, -41, -40, -39, -20, -10, -3, -1, -0.1f, -1e-3f, -1e-5f, -1e-7f};
        Tensor single = Ops.tensor(logs, logs.length).requireGrad();
        Tensor loss = SequenceLosses.dco(single, n);
        float[] slope = loss.sum().backward().get(single).toFloats();
        double[] weight = SequenceLosses.coverageWeight(single.detach(), n).toDoubles();
        for (int i = 0; i < logs.length; i++) {
            double exact = exactly(logs[i], n);
            assertThat((double) loss.toFloats()[i])
                    .as("loss at log p = %s", logs[i])
                    .isCloseTo(exact, offset(1e-6 + 3e-6 * exact));
            double factor = factor(logs[i], n);
            for (double found : new double[] {-slope[i], weight[i]}) {
                assertThat(found).as("F at log p = %s", logs[i]).isCloseTo(factor, offset(3e-4));
            }
        }
    }

    /// N·p·(1 − p)^(N−1)/(1 − (1 − p)^N) in doubles, by powers; 1 where p is too small for them.
    private static double factor(double log, double n) {
        if (n == 1 || log < -30) {
            return 1;
        }
        double p = Math.exp(log);
        double missed = -Math.expm1(log);
        return n * p * Math.pow(missed, n - 1) / -Math.expm1(n * Math.log(missed));
    }

    /// In doubles, by a formula of its own for each range.
    private static double exactly(double log, double n) {
        if (log < -40) {
            return -log - Math.log(n);
        }
        double missed = Math.log1p(-Math.exp(log));
        if (log > -0.5) {
            missed = Math.log(-Math.expm1(log));
        }
        return -Math.log(-Math.expm1(n * missed));
    }

    @Test
    void certainAnswersDoNotBreakCoverage() {
        Tensor log = vector(0, -0.0).requireGrad();
        for (double n : new double[] {1, 8, 4096}) {
            Tensor loss = SequenceLosses.dco(log, n).sum();
            assertThat(loss.item()).isCloseTo(0, offset(1e-6));
            assertThat(loss.backward().get(log).at(0)).isFinite();
            assertThat(SequenceLosses.coverageWeight(log, n).at(0)).isFinite();
        }
    }

    @Test
    void stepsAddUp() {
        Tensor steps = vector(Math.log(0.1), Math.log(0.5), Math.log(0.01), -1).requireGrad();
        Tensor sums = SequenceLosses.dcoSteps(steps, new int[] {0, 1, 0, -1}, 2, 8);
        double[] each = SequenceLosses.dco(steps, 8).toDoubles();
        assertThat(sums.toDoubles())
                .containsExactly(new double[] {each[0] + each[2], each[1]}, within(1e-12));
        double[] slope = sums.sum().backward().get(steps).toDoubles();
        assertThat(slope[3]).isZero();
        assertThat(slope[0]).isCloseTo(-0.671845, offset(1e-6));
    }

    @ParameterizedTest
    @CsvSource({
        "-1.25, -1.25, 0.693147181, 0.5",
        "-2, -1.25, 1.136871, 0.679179",
        "-0.5, -3, 0.0788897, 0.0758582"
    })
    void preferenceHasTheValuesAndSlopesOfItsFormula(
            double mine, double theirs, double loss, double tau) {
        Tensor r = vector(mine).requireGrad();
        Tensor value = SequenceLosses.poft(r, vector(theirs));
        assertThat(value.at(0)).isCloseTo(loss, offset(1e-6));
        assertThat(SequenceLosses.preferenceWeight(r, vector(theirs)).at(0))
                .isCloseTo(tau, offset(1e-6));
        assertThat(value.sum().backward().get(r).at(0)).isCloseTo(-tau, offset(1e-6));
    }

    @Test
    void preferenceIsCrossEntropyUnderReferencesThatAreSure() {
        Tensor r = vector(-2, -30).requireGrad();
        Tensor loss = SequenceLosses.poft(r, vector(60, 60));
        assertThat(loss.toDoubles()).containsExactly(new double[] {62, 90}, within(1e-12));
        assertThat(loss.sum().backward().get(r).toDoubles())
                .containsExactly(new double[] {-1, -1}, within(1e-12));
        assertThat(
                        GradCheck.maxError(
                                x -> SequenceLosses.poft(x, vector(-1, -3).to(x.device())).sum(),
                                vector(-2, -0.5)))
                .isLessThan(1e-6);
    }

    @Test
    void sayWhatIsWrong() {
        assertThatThrownBy(() -> SequenceLosses.dco(vector(-1), 0.5))
                .hasMessageContaining("n is out of range")
                .hasMessageContaining("at least 1");
        assertThatThrownBy(() -> SequenceLosses.poft(vector(-1), vector(-1, -2)))
                .hasMessageContaining("policy and references do not fit");
        assertThatThrownBy(() -> SequenceLosses.coverageWeight(Ops.tensor(new float[4], 2, 2), 2))
                .hasMessageContaining("not a vector");
    }
}
