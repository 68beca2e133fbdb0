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
    void neitherOrderNorRotationCounts() {
        double turn = 0.7;
        Tensor rotation = rows(2, Math.cos(turn), -Math.sin(turn), Math.sin(turn), Math.cos(turn));
        Tensor order = Ops.indices(new int[] {2, 0, 3, 1}, 4).to(Device.REFERENCE);
        for (boolean focal : new boolean[] {false, true}) {
            SupConOptions options = options(focal, true);
            double plain = ContrastiveLosses.supCon(circle(), LABELS, options).item();

            assertThat(ContrastiveLosses.supCon(circle().matmul(rotation), LABELS, options).item())
                    .isCloseTo(plain, offset(1e-9));
            assertThat(
                            ContrastiveLosses.supCon(
                                            circle().indexSelect(0, order),
                                            new int[] {1, 0, 1, 0},
                                            options)
                                    .item())
                    .isCloseTo(plain, offset(1e-9));
        }
    }

    @Test
    void namedPairsOfClassesAreThoseOfLabels() {
        boolean[][] positives = {
            {true, true, false, false},
            {true, false, false, false},
            {false, false, false, true},
            {false, false, true, false}
        };
        assertThat(ContrastiveLosses.supCon(circle(), positives, HALF).item())
                .isEqualTo(ContrastiveLosses.supCon(circle(), LABELS, HALF).item());

        // The only anchor is the first row; what it is to be near is the third.
        boolean[][] one = new boolean[4][4];
        one[0][2] = true;
        double share = 1 / (Math.exp(0.8 / 0.5) + 1 + Math.exp(-0.6 / 0.5));
        assertThat(ContrastiveLosses.supCon(circle(), one, HALF).item())
                .isCloseTo(-Math.log(share), offset(1e-9));
    }

    @Test
    void detachedWeightsChangeOnlyTheGradient() {
        var flowing = new SupConOptions(0.5, true, false, true);
        var constant = new SupConOptions(0.5, true, true, true);
        Tensor a = circle().requireGrad();
        Tensor b = circle().requireGrad();
        Tensor first = ContrastiveLosses.supCon(a, LABELS, flowing);
        Tensor second = ContrastiveLosses.supCon(b, LABELS, constant);

        assertThat(first.item()).isEqualTo(second.item());
        assertThat(first.backward().get(a).sub(second.backward().get(b)).abs().max().item())
                .isGreaterThan(1e-3);
    }

    @Test
    void batchHardTripletTakesTheHardestRows() {
        Tensor line = rows(5, 0, 1, 4, 3, 10);
        int[] labels = {0, 0, 0, 1, 2};
        // 0: farthest 4, nearest 3; 1: 3 and 2; 4: 4 and 1; the others have none of their class
        double expected = (4 - 3 + 0.5 + 3 - 2 + 0.5 + 4 - 1 + 0.5) / 3;

        assertThat(ContrastiveLosses.batchHardTriplet(line, labels, 0.5).item())
                .isCloseTo(expected, offset(1e-9));
        assertThatThrownBy(() -> ContrastiveLosses.batchHardTriplet(line, new int[5], 0.5))
                .hasMessageContaining("one of another class");
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
    void opposedRowsHaveFiniteGradientsInSinglePrecision() {
        for (boolean focal : new boolean[] {false, true}) {
            for (double temperature : new double[] {0.07, 0.001}) {
                Tensor rows =
                        Ops.tensor(new float[] {1, 0, 1, 0.01f, -1, 0, -1, 0.02f}, 4, 2)
                                .requireGrad();
                var options = new SupConOptions(temperature, focal, false, true);
                // Each row's positive lies opposite of it.
                Tensor loss = ContrastiveLosses.supCon(rows, new int[] {0, 1, 0, 1}, options);
                assertThat(loss.item()).isFinite().isGreaterThan(2 / temperature - 1);
                for (double slope : loss.backward().get(rows).toDoubles()) {
                    assertThat(slope).isFinite();
                }
            }
        }
    }

    @Test
    void infoNceOfRowsThatCannotBeToldApartIsTheLogarithmOfTheirNumber() {
        Tensor same = rows(5, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2);
        assertThat(ContrastiveLosses.infoNce(same, same, 0.05, true).item())
                .isCloseTo(Math.log(5), offset(1e-9));
        Tensor apart = rows(2, 1, 0, 0, 1);
        assertThat(ContrastiveLosses.infoNce(apart, apart, 0.01, true).item())
                .isCloseTo(0, offset(1e-9));
        assertThat(ContrastiveLosses.infoNce(apart, apart.neg(), 0.01, false).item())
                .isCloseTo(100, offset(1e-9));
        // Lengths do not count.
        Tensor scaled = apart.mul(rows(2, 3, 0.1));
        assertThat(ContrastiveLosses.infoNce(scaled, rows(2, 2, 1, 1, 5), 0.5, false).item())
                .isCloseTo(
                        ContrastiveLosses.infoNce(apart, rows(2, 2, 1, 1, 5), 0.5, false).item(),
                        offset(1e-9));
    }

    @Test
    void tripletsBeyondTheMarginPullAtNothing() {
        Tensor anchor = rows(2, 0, 0, 0, 0).requireGrad();
        Tensor positive = rows(2, 3, 4, 0, 1);
        Tensor negative = rows(2, 6, 8, 0, 1.5);
        Tensor loss = ContrastiveLosses.triplet(anchor, positive, negative, 1).sum();
        // Toward the positive, away from the negative: both lie in the same direction.
        assertThat(loss.backward().get(anchor).toDoubles())
                .containsExactly(new double[] {0, 0, 0, -1 + 1}, offset(1e-9));
        Tensor other = rows(2, 6, 8, -1.5, 0);
        Tensor away = rows(2, 0, 0, 0, 0).requireGrad();
        assertThat(
                        ContrastiveLosses.triplet(away, positive, other, 1)
                                .sum()
                                .backward()
                                .get(away)
                                .toDoubles())
                .containsExactly(new double[] {0, 0, -1, -1}, offset(1e-9));
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
                                            ContrastiveLosses.batchHardTriplet(
                                                    Ops.concat(0, in),
                                                    new int[] {0, 1, 1, 1, 0, 0},
                                                    9),
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
                .hasMessageContaining("no row has a positive");
        assertThatThrownBy(() -> ContrastiveLosses.supCon(circle(), new int[3], HALF))
                .hasMessageContaining("features and labels do not fit");
    }
}
