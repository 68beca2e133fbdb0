package io.github.panagrad.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class StatisticsTest {
    @Test
    void theMedianIsTheMiddleOrTheMeanOfTwo() {
        assertThat(Statistics.median(3, 1, 2)).isEqualTo(2);
        assertThat(Statistics.median(4, 1, 3, 2)).isEqualTo(2.5);
        assertThat(Statistics.median()).isNaN();
    }

    @Test
    void theDifferenceIsRelativeToTheLargest() {
        assertThat(Statistics.difference(new float[] {1, 100}, new float[] {2, 100}))
                .isEqualTo(0.01);
        assertThat(Statistics.difference(new float[] {0}, new float[] {0})).isZero();
    }

    @Test
    void whatCannotBeComparedIsInfinitelyApart() {
        assertThat(Statistics.difference(new float[1], new float[2])).isInfinite();
        assertThat(Statistics.difference(new float[] {Float.NaN}, new float[] {0})).isInfinite();
        assertThat(Statistics.difference(new float[] {1}, new float[] {0})).isInfinite();
    }
}
