package io.github.panagrad.examples.progress;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.Test;

class TrainingProgressTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private long seconds;

    @Test
    void saysALineForEveryTenthOfTheWay() {
        try (TrainingProgress progress = lines(1000)) {
            for (int step = 1; step <= 1000; step++) {
                progress.step(step, 2.0, 1000);
            }
        }
        assertThat(said()).hasSize(11);
        assertThat(said().getFirst())
                .isEqualTo("tuning: step 1 of 1000, loss 2.000, 1,000 tokens/s");
        assertThat(said().getLast()).startsWith("tuning: step 1000 of 1000");
    }

    @Test
    void saysALineWhenTheLastIsLongAgo() {
        try (TrainingProgress progress = lines(1_000_000)) {
            for (int step = 1; step <= 60; step++) {
                seconds++;
                progress.step(step, 2.0, 1000);
            }
        }
        assertThat(said()).hasSize(5);
    }

    @Test
    void endsWithTheLastStep() {
        try (TrainingProgress progress = lines(100)) {
            progress.step(1, 3, 10);
            progress.step(2, 2, 20);
            progress.note("stopped");
        }
        assertThat(said())
                .containsExactly(
                        "tuning: step 1 of 100, loss 3.000, 10 tokens/s",
                        "stopped",
                        "tuning: step 2 of 100, loss 2.000, 12 tokens/s");
    }

    private TrainingProgress lines(long steps) {
        return new TrainingProgress.Lines(
                "tuning",
                steps,
                "tokens",
                new PrintStream(out, true, UTF_8),
                () -> seconds * 1_000_000_000);
    }

    private java.util.List<String> said() {
        return out.toString(UTF_8).lines().toList();
    }
}
