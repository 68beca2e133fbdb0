package io.github.panagrad.nn.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.io.JsonObject;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MetricsTest {
    private static final int[] TRUTH = {0, 0, 0, 0, 0, 0, 1, 1};
    private static final int[] PREDICTED = {0, 0, 0, 0, 1, 0, 1, 0};
    private static final double[] SCORES = {.1, .2, .3, .15, .8, .25, .7, .4};
    private static final boolean[] POSITIVE = {
        false, false, false, false, false, false, true, true
    };

    @Test
    void labelsAreComparedAsDefined() {
        var report = ClassificationReport.of(TRUTH, PREDICTED, 2);
        assertThat(report.accuracy()).isEqualTo(0.75);
        assertThat(report.recall(0)).isCloseTo(5.0 / 6, offset(1e-12));
        assertThat(report.recall(1)).isEqualTo(0.5);
        assertThat(report.precision(0)).isCloseTo(5.0 / 6, offset(1e-12));
        assertThat(report.macro(report::f1)).isCloseTo(0.666667, offset(1e-6));
        assertThat(report.balancedAccuracy()).isCloseTo(2.0 / 3, offset(1e-12));
        assertThat(report.mcc()).isCloseTo(1.0 / 3, offset(1e-12));
        assertThat(report.confusion()).isDeepEqualTo(new int[][] {{5, 1}, {1, 1}});
    }

    @Test
    void weightedRecallIsAccuracyWhateverIsPredicted() {
        for (long seed = 0; seed < 50; seed++) {
            var draw = new Rng.Draw(seed, 0);
            int[] truth = IntStream.range(0, 30).map(i -> (int) (draw.uniform(i) * 4)).toArray();
            int[] guess =
                    IntStream.range(0, 30).map(i -> (int) (draw.uniform(i + 99) * 4)).toArray();
            var report = ClassificationReport.of(truth, guess, 4);
            assertThat(report.weighted(report::recall))
                    .as("seed %s", seed)
                    .isCloseTo(report.accuracy(), offset(1e-12));
        }
    }

    @Test
    void aClassThatIsNeverPredictedHasPrecisionZeroAndSaysSo() {
        var report = ClassificationReport.of(TRUTH, new int[8], 2);
        assertThat(report.precision(1)).isZero();
        assertThat(report.isPredicted(1)).isFalse();
        assertThat(report.isPredicted(0)).isTrue();
        assertThat(report.f1(1)).isZero();
        assertThat(report.mcc()).isZero();
        assertThat(report.balancedAccuracy()).isEqualTo(0.5);
        var absent = ClassificationReport.of(new int[4], new int[] {0, 1, 0, 0}, 2);
        assertThat(absent.balancedAccuracy()).isEqualTo(0.75);
    }

    @Test
    void scoresAreRankedAsDefined() {
        assertThat(Ranking.auroc(SCORES, POSITIVE)).isCloseTo(0.833333, offset(1e-6));
        assertThat(Ranking.averagePrecision(SCORES, POSITIVE)).isCloseTo(0.583333, offset(1e-6));
        assertThat(Ranking.auroc(new double[8], POSITIVE)).isEqualTo(0.5);
        assertThat(Ranking.averagePrecision(new double[8], POSITIVE)).isEqualTo(0.25);
    }

    @Test
    void auRocIsTheShareOfPairsInOrder() {
        var draw = new Rng.Draw(5, 0);
        double[] scores = IntStream.range(0, 60).mapToDouble(i -> draw.bits(i) & 15).toArray();
        boolean[] positive = new boolean[60];
        for (int i = 0; i < 60; i++) {
            positive[i] = draw.uniform(100 + i) < 0.3;
        }
        double right = 0;
        double pairs = 0;
        for (int i = 0; i < 60; i++) {
            for (int j = 0; j < 60; j++) {
                if (positive[i] && !positive[j]) {
                    pairs++;
                    right += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
                }
            }
        }
        assertThat(Ranking.auroc(scores, positive)).isCloseTo(right / pairs, offset(1e-12));
    }

    @Test
    void theThresholdIsTheBestOfAllScores() {
        var best = Threshold.best(SCORES, POSITIVE, r -> r.f1(1));
        assertThat(best.cut()).isEqualTo(0.4);
        assertThat(best.value()).isCloseTo(0.8, offset(1e-12));
        assertThat(best.labels(SCORES)).containsExactly(0, 0, 0, 0, 1, 0, 1, 1);
    }

    @Test
    void calibrationErrorIsTheGapOfItsBins() {
        double[] confidence = {0.95, 0.95, 0.65, 0.62, 1, 0};
        boolean[] right = {true, false, true, true, true, false};
        double expected = (Math.abs(2.9 - 2) + Math.abs(1.27 - 2) + 0) / 6;
        assertThat(Calibration.expectedError(confidence, right, 10))
                .isCloseTo(expected, offset(1e-12));
        double[] sure = {1, 1};
        assertThat(Calibration.expectedError(sure, new boolean[] {true, true}, 15)).isZero();
        assertThat(Calibration.expectedError(sure, new boolean[] {false, false}, 15)).isEqualTo(1);
    }

    @Test
    void brierIsTheSquaredDistance() {
        double[][] p = {{0.8, 0.2}, {0, 1}};
        assertThat(Calibration.brier(p, new int[] {0, 0})).isCloseTo((0.08 + 2) / 2, offset(1e-12));
    }

    /// Labels drawn from a softmax at temperature 2 ask for that temperature.
    @Test
    void theTemperatureIsFound() {
        int rows = 20000;
        double[][] logits = new double[rows][3];
        int[] labels = new int[rows];
        for (int i = 0; i < rows; i++) {
            var draw = new Rng.Draw(7, i);
            for (int c = 0; c < 3; c++) {
                logits[i][c] = 3 * draw.normal(c);
            }
            double[] p = Calibration.softmax(logits[i], 2);
            double u = draw.uniform(50);
            labels[i] = u < p[0] ? 0 : u < p[0] + p[1] ? 1 : 2;
        }
        double t = Calibration.temperature(logits, labels);
        assertThat(t).isCloseTo(2, offset(0.08));
        // Where the loss is least, a step to either side raises it.
        assertThat(nll(logits, labels, t))
                .isLessThan(nll(logits, labels, t * 1.01))
                .isLessThan(nll(logits, labels, t / 1.01));
    }

    private static double nll(double[][] logits, int[] labels, double t) {
        double sum = 0;
        for (int i = 0; i < labels.length; i++) {
            sum -= Math.log(Calibration.softmax(logits[i], t)[labels[i]]);
        }
        return sum;
    }

    @ParameterizedTest
    @CsvSource({
        "10, 3, 1, 0.3",
        "10, 3, 5, 0.916667",
        "10, 0, 5, 0",
        "10, 6, 5, 1",
        "200, 1, 100, 0.5",
        "5, 5, 5, 1"
    })
    void passAtKHasItsValues(int n, int c, int k, double expected) {
        assertThat(PassAtK.unbiased(n, c, k)).isCloseTo(expected, offset(1e-6));
    }

    @Test
    void exactCoverageTellsBreadthFromConfidence() {
        double[] sure = {0, Double.NEGATIVE_INFINITY};
        double[] broad = {Math.log(0.1), Math.log(0.1)};
        assertThat(PassAtK.exactCoverage(sure, 1)).isCloseTo(0.5, offset(1e-12));
        assertThat(PassAtK.exactCoverage(broad, 1)).isCloseTo(0.1, offset(1e-12));
        assertThat(PassAtK.exactCoverage(sure, 64)).isCloseTo(0.5, offset(1e-12));
        assertThat(PassAtK.exactCoverage(broad, 64)).isCloseTo(0.9988, offset(1e-4));
    }

    /// Samples of a two-token answer, both of which must be right.
    @Test
    void sampledCoverageAgreesWithTheExactOne() {
        double p = 0.3 * 0.4;
        int trials = 4000;
        double sum = 0;
        for (int t = 0; t < trials; t++) {
            var draw = new Rng.Draw(3, t);
            int right = 0;
            for (int i = 0; i < 16; i++) {
                right += draw.uniform(2L * i) < 0.3 && draw.uniform(2L * i + 1) < 0.4 ? 1 : 0;
            }
            sum += PassAtK.unbiased(16, right, 4);
        }
        double exact = PassAtK.exactCoverage(new double[] {Math.log(p)}, 4);
        assertThat(sum / trials).isCloseTo(exact, offset(0.012));
    }

    @Test
    void bootstrapOfAModelWithItselfIsZero() {
        double[] right = {1, 0, 1, 1, 0, 1};
        var same = Interval.pairedDifference(right, right, 200, 0.95, 1);
        assertThat(same).isEqualTo(new Interval(0, 0, 0));
        assertThat(same.contains(0)).isTrue();
    }

    @Test
    void bootstrapFindsTheDeviationOfAMean() {
        double[] a = new double[400];
        Arrays.setAll(a, i -> new Rng.Draw(11, 0).normal(i) + 1);
        var interval = Interval.pairedDifference(a, new double[400], 2000, 0.95, 2);
        Spread spread = Spread.of(a);
        double half = 1.96 * spread.sd() / 20;
        assertThat(interval.value()).isCloseTo(spread.mean(), offset(1e-12));
        assertThat(interval.high() - interval.value()).isCloseTo(half, offset(0.1 * half));
        assertThat(interval.value() - interval.low()).isCloseTo(half, offset(0.1 * half));
        assertThat(interval.contains(0)).isFalse();
        assertThat(Interval.pairedDifference(a, new double[400], 2000, 0.95, 2))
                .isEqualTo(interval);
    }

    @Test
    void spreadIsMeanAndDeviation() {
        assertThat(Spread.of(1, 2, 3)).isEqualTo(new Spread(2, 1, 3));
        assertThat(Spread.of(4)).isEqualTo(new Spread(4, 0, 1));
        assertThat(Spread.of(0.5, 0.7)).hasToString("0.600 ± 0.141");
    }

    @Test
    void foldsKeepTheSharesOfClasses() {
        int[] labels = new int[442];
        Arrays.fill(labels, 355, 442, 1);
        int[] fold = StratifiedFolds.of(labels, 5, 3);
        int[][] counts = new int[5][2];
        for (int i = 0; i < labels.length; i++) {
            counts[fold[i]][labels[i]]++;
        }
        for (int[] count : counts) {
            assertThat(count[0]).isEqualTo(71);
            assertThat(count[1]).isBetween(17, 18);
        }
        assertThat(StratifiedFolds.of(labels, 5, 3)).isEqualTo(fold);
        assertThat(StratifiedFolds.of(labels, 5, 4)).isNotEqualTo(fold);
    }

    @Test
    void badRowsAreRefused() {
        assertThatThrownBy(() -> ClassificationReport.of(TRUTH, new int[3], 2))
                .hasMessageContaining("rows do not pair up");
        assertThatThrownBy(() -> ClassificationReport.of(new int[] {2}, new int[] {0}, 2))
                .hasMessageContaining("no such label");
        assertThatThrownBy(() -> Ranking.auroc(new double[2], new boolean[2]))
                .hasMessageContaining("both kinds");
        assertThatThrownBy(() -> PassAtK.unbiased(3, 1, 4)).hasMessageContaining("k 4");
        assertThatThrownBy(() -> Spread.of()).hasMessageContaining("no values");
    }

    @Test
    void reportsSayTheirFiguresAsJsonAndAsATable() {
        var report = ClassificationReport.of(TRUTH, PREDICTED, 3);
        var names = List.of("no", "yes", "perhaps");
        JsonObject json = report.json(names);
        assertThat(json.number("accuracy")).isEqualTo(0.75);
        assertThat(json.number("weighted_recall")).isEqualTo(0.75);
        assertThat(json.number("mcc")).isCloseTo(1.0 / 3, offset(1e-12));
        assertThat(json.number("macro_f1")).isEqualTo(report.macro(report::f1));
        JsonObject yes = json.object("classes").object("yes");
        assertThat(yes.number("recall")).isEqualTo(0.5);
        assertThat(yes.integer("support")).isEqualTo(2);
        assertThat(json.object("classes").object("perhaps").bool("predicted", true)).isFalse();
        assertThat(JsonObject.parse("json", json.toString()).list("confusion")).hasSize(3);
        assertThat(report.table(names).lines())
                .hasSize(9)
                .anyMatch(line -> line.matches("yes +0.5000 +0.5000 +0.5000 +2"))
                .anyMatch(line -> line.matches("perhaps +never +0.0000 +0.0000 +0"))
                .anyMatch(line -> line.matches("MCC +0.3333 *"));
        assertThatThrownBy(() -> report.json(List.of("no"))).hasMessageContaining("pair up");
    }
}
