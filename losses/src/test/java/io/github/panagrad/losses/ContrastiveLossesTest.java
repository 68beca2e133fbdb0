package io.github.panagrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.check.GradCheck;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.losses.ContrastiveLosses.SupConOptions;
import org.junit.jupiter.api.Test;

class ContrastiveLossesTest {
    private static final int[] LABELS = {0, 0, 1, 1};
    private static final SupConOptions HALF = SupConOptions.DEFAULT.temperature(0.5);

    private static Tensor rows(int rows, double... values) {
        return Ops.tensor64(values, rows, values.length / rows).to(Device.REFERENCE);
    }

    private static Tensor circle() {
        return rows(4, 1, 0, 0.8, 0.6, 0, 1, -0.6, 0.8);
    }

    private static SupConOptions options(boolean focal, boolean perPositive) {
        return new SupConOptions(0.5, focal, false, perPositive);
    }

    @Test
    void supConHasTheValuesOfItsDefinition() {
        assertThat(ContrastiveLosses.supCon(circle(), LABELS, options(false, true)).item())
                .isCloseTo(0.430190, offset(1e-6));
        assertThat(ContrastiveLosses.supCon(circle(), LABELS, options(true, true)).item())
                .isCloseTo(0.170345, offset(1e-6));
        assertThat(ContrastiveLosses.supCon(circle(), LABELS, options(false, false)).item())
                .isCloseTo(0.107548, offset(1e-6));
        assertThat(ContrastiveLosses.supCon(circle(), LABELS, options(true, false)).item())
                .isCloseTo(0.0425862, offset(1e-6));
    }

    @Test
    void equalRowsOfOneClassCannotBeToldApart() {
        Tensor same = rows(4, 1, 2, 1, 2, 1, 2, 1, 2);
        for (double temperature : new double[] {0.07, 0.5, 3}) {
            assertThat(
                            ContrastiveLosses.supCon(
                                            same,
                                            new int[4],
                                            SupConOptions.DEFAULT.temperature(temperature))
                                    .item())
                    .isCloseTo(Math.log(3), offset(1e-9));
        }
    }

    @Test
    void onlyDirectionsCount() {
        Tensor scaled = circle().mul(rows(4, 1, 7, 0.2, 30));

        assertThat(ContrastiveLosses.supCon(scaled, LABELS, HALF).item())
                .isCloseTo(0.430190, offset(1e-6));
    }

    @Test
    void opposedRowsDoNotOverflow() {
        Tensor opposed = rows(4, 1, 0, 1, 0, -1, 0, -1, 0);
        double loss =
                ContrastiveLosses.supCon(opposed, LABELS, SupConOptions.DEFAULT.temperature(0.001))
                        .item();

        assertThat(loss).isCloseTo(0, offset(1e-9));
    }

    @Test
    void infoNceIsTheCrossEntropyOfCosines() {
        Tensor queries = rows(2, 1, 0, 0, 1);
        Tensor keys = rows(2, 3, 0, 1, 1);
        double half = Math.sqrt(0.5);
        double first = -Math.log(Math.exp(2) / (Math.exp(2) + Math.exp(2 * half)));
        double second = -Math.log(Math.exp(2 * half) / (1 + Math.exp(2 * half)));

        assertThat(ContrastiveLosses.infoNce(queries, keys, 0.5, false).item())
                .isCloseTo((first + second) / 2, offset(1e-9));
        assertThat(ContrastiveLosses.infoNce(queries, keys, 0.5, true).item())
                .isCloseTo(
                        ContrastiveLosses.infoNce(keys, queries, 0.5, true).item(), offset(1e-9));
    }

    @Test
    void tripletIsZeroBeyondTheMargin() {
        Tensor anchor = rows(2, 0, 0, 0, 0);
        Tensor positive = rows(2, 3, 4, 0, 1);
        Tensor negative = rows(2, 6, 8, 0, 1.5);

        assertThat(ContrastiveLosses.triplet(anchor, positive, negative, 1).toDoubles())
                .containsExactly(new double[] {0, 0.5}, offset(1e-9));
    }

    @Test
    void haveTheGradientsOfTheirValues() {
        for (boolean focal : new boolean[] {false, true}) {
            assertThat(
                            GradCheck.maxError(
                                    in ->
                                            new Tensor[] {
                                                ContrastiveLosses.supCon(
                                                        in[0], LABELS, options(focal, true))
                                            },
                                    new Tensor[] {rows(4, 1, 0.3, 0.8, 0.6, -0.2, 1, -0.6, 0.8)},
                                    new boolean[] {true}))
                    .isLessThan(1e-6);
        }
        assertThat(
                        GradCheck.maxError(
                                in ->
                                        new Tensor[] {
                                            ContrastiveLosses.infoNce(in[0], in[1], 0.2, true),
                                            ContrastiveLosses.triplet(in[0], in[1], in[2], 5)
                                        },
                                new Tensor[] {
                                    rows(2, 1, 0.3, 0.2, -1),
                                    rows(2, 0.5, 1, -1, 0.1),
                                    rows(2, 2, 1, 1, 3)
                                },
                                new boolean[] {true, true, true}))
                .isLessThan(1e-6);
    }

    @Test
    void refuseBatchesWithoutPairs() {
        assertThatThrownBy(() -> ContrastiveLosses.supCon(circle(), new int[] {0, 1, 2, 3}, HALF))
                .hasMessageContaining("no class has two rows");
        assertThatThrownBy(() -> ContrastiveLosses.supCon(circle(), new int[3], HALF))
                .hasMessageContaining("features and labels do not fit");
    }
}
