package io.github.panagrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.check.GradCheck;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ValueLossesTest {
    private static final double[] LOGITS = {0.3, -1, 2, 0.1, 1, -0.5, 0.7, 0.2, -0.4, 1.5};

    private static Tensor logits() {
        return Ops.tensor64(LOGITS.clone(), 2, 5).to(Device.REFERENCE);
    }

    private static double largestGradient(ValueCoding coding, int outputs, double target) {
        Tensor zero = Ops.tensor64(new double[outputs], 1, outputs).requireGrad();
        return coding.loss(zero, target).sum().backward().get(zero).norm().item();
    }

    @Test
    void targetsOfQLearningTakeTheBestAction() {
        double[] next = {1, 3, 2, 5, 4, -1};
        assertThat(
                        ValueLosses.tdTargets(
                                new double[] {0.5, 1}, next, 0.9, new boolean[] {false, true}))
                .containsExactly(new double[] {0.5 + 0.9 * 3, 1}, offset(1e-12));
        assertThatThrownBy(() -> ValueLosses.tdTargets(new double[4], next, 0.9, new boolean[4]))
                .hasMessageContaining("rows do not fit");
        assertThatThrownBy(() -> ValueLosses.tdTargets(new double[2], next, 1.1, new boolean[2]))
                .hasMessageContaining("gamma");
    }

    @Test
    void conservativePenaltyIsWhatSoftmaxTakesFromTheTakenAction() {
        Tensor values = Ops.tensor64(new double[] {1, 2, 3, 0, 0, 0}, 2, 3);
        Tensor taken = Ops.indices(new int[] {1, 2}, 2);
        double first = Math.log(Math.exp(1) + Math.exp(2) + Math.exp(3)) - 2;

        assertThat(ValueLosses.conservativePenalty(values, taken).toDoubles())
                .containsExactly(new double[] {first, Math.log(3)}, offset(1e-9));
        assertThat(
                        GradCheck.maxError(
                                x ->
                                        ValueLosses.conservativePenalty(
                                                x,
                                                Ops.indices(new int[] {1, 2}, 2)
                                                        .to(Device.REFERENCE)),
                                values))
                .isLessThan(1e-6);
    }

    @Test
    void crossEntropyTakesTargetsOfAnyType() {
        Tensor target = ValueBins.points(-1, 1, 5).twoHot(0.3, -0.2);
        double[] exact = ValueLosses.valueCrossEntropy(logits(), target).toDoubles();
        double[] single =
                ValueLosses.valueCrossEntropy(
                                Ops.tensor64(LOGITS.clone(), 2, 5).to(DType.F32), target)
                        .toDoubles();

        assertThat(single).containsExactly(exact, offset(1e-5));
    }

    @Test
    void codingsSayNumbers() {
        for (ValueCoding coding :
                List.of(
                        ValueCoding.squaredError(),
                        ValueCoding.twoHot(-1, 1, 5),
                        ValueCoding.hlGauss(-1, 1, 5, 0.75))) {
            int outputs = coding.outputs();
            Tensor zero = Ops.tensor64(new double[2 * outputs], 2, outputs);

            assertThat(coding.values(zero).toDoubles())
                    .containsExactly(new double[] {0, 0}, offset(1e-12));
            assertThat(
                            GradCheck.maxError(
                                    x -> coding.loss(x, 0.3, -0.8),
                                    Ops.tensor64(Arrays.copyOf(LOGITS, 2 * outputs), 2, outputs)))
                    .isLessThan(1e-6);
        }
        assertThat(ValueCoding.squaredError().loss(Ops.tensor64(new double[] {3}, 1, 1), 5).item())
                .isEqualTo(4);
    }

    @Test
    void targetsAreDistributions() {
        double[] values = {-40, -1, -0.31, 0, 0.777, 1, 1e9};
        for (Tensor target :
                List.of(
                        ValueBins.points(-1, 1, 7).twoHot(values),
                        ValueBins.centres(-1, 1, 7).hlGauss(values, 0.75))) {
            assertThat(target.sum(-1, false).toDoubles())
                    .containsOnly(new double[] {1}, offset(1e-12));
            assertThat(target.min().item()).isNotNegative();
        }
    }

    @Test
    void onlyTheSquaredErrorPullsHarderTheFartherTheNumber() {
        assertThat(largestGradient(ValueCoding.squaredError(), 1, 1e6)).isEqualTo(2e6);
        assertThat(largestGradient(ValueCoding.twoHot(-1e6, 1e6, 7), 7, 1e6))
                .isLessThan(Math.sqrt(2));
        assertThat(largestGradient(ValueCoding.hlGauss(-1e6, 1e6, 7, 0.75), 7, 1e6))
                .isLessThan(Math.sqrt(2));
    }

    @Test
    void refuseNumbersThatDoNotFit() {
        ValueCoding coding = ValueCoding.twoHot(-1, 1, 5);
        assertThatThrownBy(() -> coding.loss(logits(), 1, 2, 3)).hasMessageContaining("3 numbers");
        assertThatThrownBy(() -> ValueCoding.hlGauss(0, 1, 5, 0))
                .hasMessageContaining("sigmaRatio");
    }
}
