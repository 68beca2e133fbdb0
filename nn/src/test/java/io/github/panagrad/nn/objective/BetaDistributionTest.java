package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.ground.Rng;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BetaDistributionTest {
    private static final int N = 20_000;

    private static double[] samples(double a) {
        var beta = new BetaDistribution(a);
        var draw = Rng.of(11).draw();
        return IntStream.range(0, N).mapToDouble(i -> beta.sample(draw, i)).toArray();
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.001, 0.3, 1, 2.5, 40})
    void hasItsMeanAndVariance(double a) {
        double[] x = samples(a);
        double mean = Arrays.stream(x).average().orElseThrow();
        double variance = Arrays.stream(x).map(v -> (v - mean) * (v - mean)).sum() / N;

        assertThat(Arrays.stream(x).allMatch(v -> v >= 0 && v <= 1)).isTrue();
        assertThat(mean).isCloseTo(0.5, offset(0.015));
        assertThat(variance).isCloseTo(1 / (4 * (2 * a + 1)), offset(0.01));
    }

    @Test
    void ofShapeOneIsUniform() {
        double[] x = samples(1);
        Arrays.sort(x);
        double worst = 0;
        for (int i = 0; i < N; i++) {
            worst = Math.max(worst, Math.abs(x[i] - (i + 0.5) / N));
        }
        // Kolmogorov and Smirnov's distance is above 1.95/√n once in a thousand.
        assertThat(worst).isLessThan(1.95 / Math.sqrt(N));
    }

    @Test
    void samplesDependOnTheirNumberOnly() {
        var beta = new BetaDistribution(0.7);
        var draw = Rng.of(3).draw();
        double seventh = beta.sample(draw, 7);
        beta.sample(draw, 6);

        assertThat(beta.sample(draw, 7)).isEqualTo(seventh);
        assertThat(beta.sample(draw, 8)).isNotEqualTo(seventh);
        assertThatThrownBy(() -> new BetaDistribution(0)).hasMessageContaining("shape");
    }
}
