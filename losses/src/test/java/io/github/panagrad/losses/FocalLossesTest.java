package io.github.panagrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.check.GradCheck;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import org.junit.jupiter.api.Test;

class FocalLossesTest {
    private static Tensor vector(double... values) {
        return Ops.tensor64(values, values.length);
    }

    /// The logit of a probability.
    private static double logit(double p) {
        return Math.log(p / (1 - p));
    }

    @Test
    void binaryFocalHasTheValuesOfItsDefinition() {
        Tensor logits = vector(logit(0.9), logit(0.1), logit(0.1), logit(0.5));
        Tensor targets = vector(1, 1, 0, 0);
        assertThat(FocalLosses.binaryFocal(logits, targets, 2).toDoubles())
                .containsExactly(
                        new double[] {0.00105361, 1.865094, 0.00105361, 0.25 * Math.log(2)},
                        within(1e-6));
        assertThat(FocalLosses.binaryFocal(logits, targets, 0).at(3))
                .isCloseTo(0.693147, offset(1e-6));
        double[] weighted = FocalLosses.binaryFocal(logits, targets, 2, 0.25).toDoubles();
        assertThat(weighted[1]).isCloseTo(0.25 * 1.865094, offset(1e-6));
        assertThat(weighted[3]).isCloseTo(0.75 * 0.25 * Math.log(2), offset(1e-6));
    }

    @Test
    void binaryFocalIsThatOfTwoClasses() {
        Tensor x = Ops.randn(Rng.of(3), 5).to(DType.F64);
        Tensor two = Ops.stack(1, x.mul(-0.5), x.mul(0.5));
        int[] labels = {1, 0, 0, 1, 1};
        Tensor each =
                FocalLosses.focal(
                        two,
                        Ops.indices(labels, 5),
                        2,
                        CrossEntropyOptions.DEFAULT.reduction(Reduction.NONE));
        assertThat(FocalLosses.binaryFocal(x, vector(1, 0, 0, 1, 1), 2).toDoubles())
                .containsExactly(each.toDoubles(), within(1e-12));
    }

    @Test
    void focalIsCrossEntropyWithoutGammaWhateverTheOptions() {
        Tensor logits = Ops.randn(Rng.of(1), 4, 3);
        Tensor targets = Ops.indices(new int[] {0, -100, 2, 2}, 4);
        Tensor weights = ClassWeights.balanced(ClassWeights.counts(new int[] {0, 1, 2, 2, -1}, 3));
        assertThat(weights.toDoubles())
                .containsExactly(new double[] {4 / 3.0, 4 / 3.0, 2 / 3.0}, within(1e-6));
        for (Reduction reduction : Reduction.values()) {
            var options = CrossEntropyOptions.DEFAULT.classWeights(weights).reduction(reduction);
            assertThat(FocalLosses.focal(logits, targets, 0, options).toDoubles())
                    .containsExactly(
                            Losses.crossEntropy(logits, targets, options).toDoubles(),
                            within(1e-6));
        }
    }

    @Test
    void focalHasTheGradientOfItsFormula() {
        Tensor logits = Ops.tensor64(new double[] {1, 0, -1}, 1, 3).requireGrad();
        Tensor target = Ops.indices(new int[] {0}, 1);
        Tensor loss = FocalLosses.focal(logits, target, 2, CrossEntropyOptions.DEFAULT);
        assertThat(loss.backward().get(logits).toDoubles())
                .containsExactly(new double[] {-0.098288, 0.071854, 0.026434}, within(1e-6));
    }

    @Test
    void haveTheRightGradients() {
        var weights = CrossEntropyOptions.DEFAULT.classWeights(ClassWeights.balanced(5, 1, 2));
        Tensor targets = Ops.indices(new int[] {0, 2, 1}, 3);
        assertThat(
                        GradCheck.maxError(
                                x -> FocalLosses.focal(x, targets, 2, weights),
                                Ops.randn(Rng.of(4), 3, 3)))
                .isLessThan(1e-6);
        for (double gamma : new double[] {0, 0.5, 2}) {
            assertThat(
                            GradCheck.maxError(
                                    x ->
                                            FocalLosses.binaryFocal(
                                                            x, vector(1, 0, 1, 0), gamma, 0.25)
                                                    .sum(),
                                    Ops.randn(Rng.of(4), 4)))
                    .isLessThan(1e-6);
        }
    }

    @Test
    void sureAndWrongLogitsStayFinite() {
        Tensor logits = Ops.tensor(new float[] {100, -100, 100, -100}, 4).requireGrad();
        Tensor loss = FocalLosses.binaryFocal(logits, Ops.tensor(new float[] {1, 1, 0, 0}, 4), 0.5);
        assertThat(loss.toDoubles()).containsExactly(new double[] {0, 100, 100, 0}, within(1e-3));
        for (float slope : loss.sum().backward().get(logits).toFloats()) {
            assertThat(slope).isFinite();
        }
    }

    @Test
    void sayWhatIsWrong() {
        assertThatThrownBy(() -> FocalLosses.binaryFocal(vector(1), vector(0.5), 2))
                .hasMessageContaining("neither yes nor no");
        assertThatThrownBy(() -> FocalLosses.binaryFocal(vector(1), vector(1, 0), 2))
                .hasMessageContaining("one shape");
        assertThatThrownBy(() -> FocalLosses.binaryFocal(vector(1), vector(1), 2, 2))
                .hasMessageContaining("alpha is out of range");
        assertThatThrownBy(() -> ClassWeights.counts(new int[] {0, 3}, 3))
                .hasMessageContaining("below 3");
    }
}
