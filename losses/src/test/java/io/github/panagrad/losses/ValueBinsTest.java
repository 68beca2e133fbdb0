package io.github.panagrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ValueBinsTest {
    private static final ValueBins POINTS = ValueBins.points(-1, 1, 5);
    private static final double[] SPREAD = {.1, .2, .4, .2, .1};

    private static double mean(Tensor target, double[] places) {
        double[] p = target.toDoubles();
        double mean = 0;
        for (int i = 0; i < places.length; i++) {
            mean += p[i] * places[i];
        }
        return mean;
    }

    @Test
    void twoHotKeepsTheNumberAsItsMean() {
        assertThat(POINTS.twoHot(0.3).toDoubles())
                .containsExactly(new double[] {0, 0, 0.4, 0.6, 0}, offset(1e-9));
        assertThat(POINTS.twoHot(2).toDoubles()).containsExactly(0, 0, 0, 0, 1);
        assertThat(POINTS.twoHot(-7).toDoubles()).containsExactly(1, 0, 0, 0, 0);
        assertThat(mean(POINTS.twoHot(-0.77), POINTS.places())).isCloseTo(-0.77, offset(1e-12));
    }

    @Test
    void hlGaussSpreadsTheNumber() {
        ValueBins four = ValueBins.centres(-1, 1, 4);
        Tensor target = four.hlGauss(new double[] {0.3}, 0.75);
        assertThat(target.toDoubles())
                .containsExactly(
                        new double[] {0.016707, 0.201708, 0.507083, 0.274502}, offset(1e-6));
        assertThat(mean(target, four.places())).isCloseTo(0.269690, offset(1e-6));

        ValueBins many = ValueBins.centres(-10, 10, 51);
        target = many.hlGauss(new double[] {0.3}, 0.75);
        double[] p = target.toDoubles();
        assertThat(mean(target, many.places())).isCloseTo(0.300002, offset(1e-6));
        assertThat(Arrays.stream(p).filter(x -> x > 1e-3).count()).isEqualTo(6);
        assertThat(Arrays.stream(p).max().orElseThrow()).isCloseTo(0.474538, offset(1e-6));
    }

    @Test
    void hlGaussOfNoWidthIsOneBin() {
        double[] p = ValueBins.centres(-1, 1, 4).hlGauss(new double[] {0.3, 5}, 1e-3).toDoubles();

        assertThat(p).containsExactly(new double[] {0, 0, 1, 0, 0, 0, 0, 1}, offset(1e-9));
    }

    @Test
    void projectMovesDistributions() {
        Tensor moved = POINTS.project(SPREAD, new double[] {0.25}, 0.9, new boolean[] {false});
        assertThat(moved.toDoubles())
                .containsExactly(new double[] {0.03, 0.15, 0.32, 0.32, 0.18}, offset(1e-9));
        assertThat(mean(moved, POINTS.places())).isCloseTo(0.235, offset(1e-9));
        assertThat(POINTS.project(SPREAD, new double[] {0}, 1, new boolean[] {false}).toDoubles())
                .containsExactly(SPREAD, offset(1e-12));
        assertThat(
                        POINTS.project(SPREAD, new double[] {0.3}, 0.9, new boolean[] {true})
                                .toDoubles())
                .containsExactly(POINTS.twoHot(0.3).toDoubles(), offset(1e-12));
    }

    @Test
    void projectionsAreDistributionsWhateverTheReward() {
        double[] spread = new double[4 * SPREAD.length];
        for (int i = 0; i < spread.length; i++) {
            spread[i] = SPREAD[i % SPREAD.length];
        }
        double[] rewards = {-40, 0.123, 0.9, 1e9};
        Tensor moved = POINTS.project(spread, rewards, 0.99, new boolean[4]);
        assertThat(moved.sum(-1, false).toDoubles())
                .containsExactly(new double[] {1, 1, 1, 1}, offset(1e-12));
        assertThat(moved.min().item()).isNotNegative();
        // Beyond the range all lies on its end.
        assertThat(moved.at(0, 0)).isCloseTo(1, offset(1e-12));
        assertThat(moved.at(3, 4)).isCloseTo(1, offset(1e-12));
    }

    @Test
    void gradientIsBoundedWhateverTheNumber() {
        ValueBins bins = ValueBins.centres(-1e6, 1e6, 7);
        Tensor logits = Ops.tensor64(new double[] {3, -1, 0, 2, 1, -2, 0}, 1, 7).requireGrad();
        Tensor target = bins.hlGauss(new double[] {9e5}, 0.75);
        double[] gradient =
                DistributionLosses.softTargetCrossEntropy(logits, target)
                        .sum()
                        .backward()
                        .get(logits)
                        .toDoubles();

        assertThat(Math.sqrt(Arrays.stream(gradient).map(g -> g * g).sum()))
                .isLessThan(Math.sqrt(2));
        assertThat(gradient)
                .containsExactly(
                        Ops.softmax(logits.detach(), -1).sub(target).toDoubles(), offset(1e-9));
    }

    @Test
    void predictsTheMeanOfTheBins() {
        double[] logProbabilities = Arrays.stream(SPREAD).map(Math::log).toArray();

        assertThat(POINTS.expectation(Ops.tensor64(logProbabilities, 1, 5)).at(0))
                .isCloseTo(0, offset(1e-9));
    }

    @Test
    void refusesBinsOfTheOtherKind() {
        assertThatThrownBy(() -> POINTS.hlGauss(new double[] {0}, 0.75))
                .hasMessageContaining("ValueBins.centres");
        assertThatThrownBy(() -> ValueBins.centres(0, 1, 4).twoHot(0.5))
                .hasMessageContaining("ValueBins.points");
        assertThatThrownBy(() -> ValueBins.points(1, 1, 4)).hasMessageContaining("no range");
    }
}
