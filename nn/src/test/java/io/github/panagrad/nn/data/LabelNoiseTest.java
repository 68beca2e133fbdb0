package io.github.panagrad.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LabelNoiseTest {
    private static final int ROWS = 12000;
    private static final int[] LABELS = IntStream.range(0, ROWS).map(i -> i % 6).toArray();

    @Test
    void symmetricNoiseHitsItsShareAndEveryOtherLabelAlike() {
        int[] noisy = LabelNoise.symmetric(6, 0.25, 4).apply(LABELS);
        int[][] moved = new int[6][6];
        for (int i = 0; i < ROWS; i++) {
            moved[LABELS[i]][noisy[i]]++;
        }
        int flipped = ROWS - IntStream.range(0, 6).map(c -> moved[c][c]).sum();
        assertThat(flipped / (double) ROWS)
                .isCloseTo(0.25, offset(3 * Math.sqrt(0.25 * 0.75 / ROWS)));
        for (int c = 0; c < 6; c++) {
            for (int d = 0; d < 6; d++) {
                if (c != d) {
                    // four deviations, of thirty counts
                    assertThat(moved[c][d] / 2000.0)
                            .isCloseTo(0.05, offset(4 * Math.sqrt(0.05 * 0.95 / 2000)));
                }
            }
        }
    }

    @Test
    void flippedLabelsAreNeverTheirOwn() {
        int[] all = LabelNoise.symmetric(6, 1, 9).apply(LABELS);
        for (int i = 0; i < ROWS; i++) {
            assertThat(all[i]).isNotEqualTo(LABELS[i]).isBetween(0, 5);
        }
        assertThat(LabelNoise.symmetric(6, 0, 9).apply(LABELS)).isEqualTo(LABELS);
    }

    @Test
    void eachRowIsHitByItself() {
        var noise = LabelNoise.symmetric(6, 0.4, 2);
        int[] whole = noise.apply(LABELS);
        for (int i = ROWS - 1; i >= 0; i -= 7) {
            assertThat(noise.apply(i, LABELS[i])).isEqualTo(whole[i]);
        }
        int[] part = noise.apply(Arrays.copyOf(LABELS, 100));
        assertThat(part).isEqualTo(Arrays.copyOf(whole, 100));
        assertThat(noise.apply(5, Example.IGNORED)).isEqualTo(Example.IGNORED);
    }

    @Test
    void classDependentNoiseFollowsItsRows() {
        double[][] shares = {{1, 0, 0}, {0.3, 0.7, 0}, {0, 0.5, 0.5}};
        var noise = LabelNoise.classDependent(shares, 6);
        int[] labels = IntStream.range(0, ROWS).map(i -> i % 3).toArray();
        int[] noisy = noise.apply(labels);
        int[][] moved = new int[3][3];
        for (int i = 0; i < ROWS; i++) {
            moved[labels[i]][noisy[i]]++;
        }
        for (int c = 0; c < 3; c++) {
            for (int d = 0; d < 3; d++) {
                double p = shares[c][d];
                assertThat(moved[c][d] / 4000.0)
                        .isCloseTo(p, offset(1e-12 + 3 * Math.sqrt(p * (1 - p) / 4000)));
            }
        }
    }

    @Test
    void badSettingsAreRefused() {
        assertThatThrownBy(() -> LabelNoise.symmetric(1, 0.1, 0)).hasMessageContaining("1 classes");
        assertThatThrownBy(() -> LabelNoise.classDependent(new double[][] {{0.5}}, 0))
                .hasMessageContaining("row 0 is no distribution");
        assertThatThrownBy(() -> LabelNoise.symmetric(2, 0.1, 0).apply(0, 2))
                .hasMessageContaining("no such label");
    }
}
