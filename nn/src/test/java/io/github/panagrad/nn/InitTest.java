package io.github.panagrad.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InitTest {
    private static final Shape SHAPE = Shape.of(80, 200);

    private static double mean(float[] values) {
        return IntStream.range(0, values.length)
                .mapToDouble(i -> values[i])
                .average()
                .orElseThrow();
    }

    private static double deviation(float[] values) {
        double mean = mean(values);
        return Math.sqrt(
                IntStream.range(0, values.length)
                        .mapToDouble(i -> (values[i] - mean) * (values[i] - mean))
                        .average()
                        .orElseThrow());
    }

    private static void check(Init init, double mean, double deviation) {
        float[] values = init.draw(SHAPE, Rng.of(1)).toFloats();
        assertThat(mean(values)).isCloseTo(mean, within(4 * deviation / Math.sqrt(16000)));
        assertThat(deviation(values)).isCloseTo(deviation, within(0.02 * deviation));
        assertThat(init.draw(SHAPE, Rng.of(1)).toFloats()).isEqualTo(values);
        assertThat(init.draw(SHAPE, Rng.of(2)).toFloats()).isNotEqualTo(values);
    }

    @Test
    void momentsAreThoseNamed() {
        check(Init.normal(3, 0.5), 3, 0.5);
        check(Init.uniform(-1, 3), 1, 4 / Math.sqrt(12));
        check(Init.kaimingUniform(Math.sqrt(5)), 0, 1 / Math.sqrt(3 * 200));
        check(Init.kaimingNormal(), 0, Math.sqrt(2.0 / 200));
        check(Init.xavierUniform(), 0, Math.sqrt(2.0 / 280));
        check(Init.xavierNormal(), 0, Math.sqrt(2.0 / 280));
    }

    @Test
    void boundsHold() {
        double bound = 1 / Math.sqrt(200);
        for (float v : Init.kaimingUniform(Math.sqrt(5)).draw(SHAPE, Rng.of(1)).toFloats()) {
            assertThat(Math.abs(v)).isLessThanOrEqualTo((float) bound * 1.0001f);
        }
    }

    @ParameterizedTest
    @CsvSource({"5,9", "9,5", "6,6", "1,4"})
    void orthogonalRowsOrColumns(int rows, int cols) {
        float[] w = Init.orthogonal(2).draw(Shape.of(rows, cols), Rng.of(3)).toFloats();
        int fewer = Math.min(rows, cols);
        for (int a = 0; a < fewer; a++) {
            for (int b = 0; b < fewer; b++) {
                double dot = 0;
                for (int i = 0; i < Math.max(rows, cols); i++) {
                    dot +=
                            rows <= cols
                                    ? w[a * cols + i] * w[b * cols + i]
                                    : w[i * cols + a] * w[i * cols + b];
                }
                assertThat(dot).isCloseTo(a == b ? 4 : 0, within(1e-5));
            }
        }
    }

    @Test
    void vectorsHaveNoFans() {
        assertThatThrownBy(() -> Init.xavierUniform().draw(Shape.of(4), Rng.of(1)))
                .hasMessage("init: fans need two dimensions; got [4]; expected (out, in, …)");
    }
}
