package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.DistributionLosses;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.nn.objective.HardPairMixer.MixLabels;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class HardPairMixerTest {
    /// Directions of 0°, 20°, 50°, 40° and 180°; the last class has one row.
    private static final double[] ANGLES = {0, 20, 50, 40, 180};

    private static final int[] LABELS = {0, 0, 0, 1, 2};

    private static Tensor features() {
        double[] values = new double[10];
        for (int i = 0; i < 5; i++) {
            double length = 1 + i;
            values[2 * i] = length * Math.cos(Math.toRadians(ANGLES[i]));
            values[2 * i + 1] = length * Math.sin(Math.toRadians(ANGLES[i]));
        }
        return Ops.tensor64(values, 5, 2);
    }

    private static Mixture mix(MixLabels positives, int... labels) {
        return new HardPairMixer(1, positives).mix(features(), labels, Rng.of(4));
    }

    private static int[] members(double[] shares) {
        return IntStream.range(0, shares.length).filter(j -> shares[j] > 0).toArray();
    }

    @Test
    void hardPositivesAreTheFarthestOfTheClassWithTheNearestOfAnother() {
        Mixture mixture = mix(MixLabels.ANCHOR, LABELS);

        assertThat(mixture.rows()).isEqualTo(15);
        // farthest of its class, nearest of another
        assertThat(members(mixture.shares(10))).containsExactly(2, 3);
        assertThat(members(mixture.shares(11))).containsExactly(2, 3);
        assertThat(members(mixture.shares(12))).containsExactly(0, 3);
        assertThat(members(mixture.shares(13))).containsExactly(2, 3); // itself and row 2
        assertThat(members(mixture.shares(14))).containsExactly(2, 4); // itself and row 2
        for (int r = 0; r < 15; r++) {
            assertThat(Arrays.stream(mixture.shares(r)).sum()).isCloseTo(1, offset(1e-12));
        }
    }

    @Test
    void semiHardNegativesAreMostlyThePartner() {
        Mixture mixture = mix(MixLabels.ANCHOR, LABELS);
        for (int i = 0; i < 5; i++) {
            double[] shares = mixture.shares(5 + i);
            assertThat(Arrays.stream(shares).max().orElseThrow()).isBetween(0.8, 1.0);
            assertThat(members(shares).length == 1 || shares[i] > 0).isTrue();
            assertThat(mixture.shares(i)[i]).isEqualTo(1);
        }
    }

    @Test
    void featuresAndLabelsAreMixedAlike() {
        Mixture mixture = mix(MixLabels.ANCHOR, LABELS);
        Tensor f = features();
        Tensor mixed = mixture.features(f);
        Tensor soft = mixture.softLabels(f, 3);

        assertThat(mixed.narrow(0, 0, 5).toDoubles()).isEqualTo(f.toDoubles());
        double[] shares = mixture.shares(12);
        assertThat(mixed.at(12, 0))
                .isCloseTo(shares[0] * f.at(0, 0) + shares[3] * f.at(3, 0), offset(1e-12));
        assertThat(soft.at(12, 0)).isCloseTo(shares[0], offset(1e-12));
        assertThat(soft.at(12, 1)).isCloseTo(shares[3], offset(1e-12));
        assertThatThrownBy(() -> mixture.softLabels(f, 2)).hasMessageContaining("below 2");
    }

    @Test
    void anchorsLabelHardPositives() {
        boolean[][] marks = mix(MixLabels.ANCHOR, LABELS).positives();

        assertThat(marks[0][1]).isTrue();
        assertThat(marks[0][10]).isTrue();
        assertThat(marks[10][0]).isTrue();
        assertThat(marks[4][14]).isTrue();
        assertThat(marks[0][13]).isFalse();
        for (int j = 0; j < 15; j++) {
            assertThat(marks[7][j]).isFalse();
            assertThat(marks[j][7]).isFalse();
            assertThat(marks[j][j]).isFalse();
        }
    }

    @Test
    void exactLabelsLeaveMixedRowsAlone() {
        boolean[][] marks = mix(MixLabels.EXACT, LABELS).positives();

        assertThat(marks[0][1]).isTrue();
        assertThat(marks[0][3]).isFalse();
        for (int j = 0; j < 10; j++) {
            assertThat(marks[10][j]).isFalse();
        }
    }

    @Test
    void oneClassHasNoHardPositives() {
        Mixture mixture = mix(MixLabels.ANCHOR, 1, 1, 1, 1, 1);

        assertThat(mixture.rows()).isEqualTo(10);
        assertThat(mixture.positives()[0])
                .containsExactly(false, true, true, true, true, false, false, false, false, false);
    }

    @Test
    void sameSeedSameMixture() {
        Mixture first = mix(MixLabels.ANCHOR, LABELS);
        Mixture second = mix(MixLabels.ANCHOR, LABELS);
        for (int r = 0; r < 15; r++) {
            assertThat(second.shares(r)).isEqualTo(first.shares(r));
        }
    }

    @Test
    void wholeSharesAreThePlainCrossEntropyOfTheChosenRows() {
        double[][] shares = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0, 0, 1}, {1, 0, 0}, {1, 0, 0}};
        var mixture = new Mixture(shares, new int[] {2, 0, 1}, MixLabels.ANCHOR);
        Tensor logits = Ops.tensor64(new double[] {1, 0, -1, 2, 0.5, 0, 0, 3, 1}, 3, 3);
        Tensor chosen = mixture.features(logits);

        assertThat(
                        DistributionLosses.softTargetCrossEntropy(
                                        chosen, mixture.softLabels(logits, 3))
                                .mean()
                                .item())
                .isCloseTo(
                        Losses.crossEntropy(chosen, Ops.indices(new int[] {2, 0, 1, 1, 2, 2}, 6))
                                .item(),
                        offset(1e-6));
    }

    @Test
    void mixedLabelsHaveTheSpecifiedCrossEntropy() {
        var mixture = new Mixture(new double[][] {{0.3, 0.7}}, new int[] {0, 1}, MixLabels.ANCHOR);
        Tensor logits = Ops.tensor64(new double[] {1, 0, -1}, 1, 3);

        assertThat(
                        DistributionLosses.softTargetCrossEntropy(
                                        logits, mixture.softLabels(logits, 3))
                                .at(0))
                .isCloseTo(1.107606, offset(1e-6));
    }
}
