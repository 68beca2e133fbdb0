package io.github.panagrad.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.nn.io.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

/// Cut Cross-Entropy on the command line: what is dropped is reported, and much of it is warned of.
class CutCrossEntropyCommandTest extends FinetuneRuns {
    /// Keeps what is logged as a warning.
    private static final class Warnings extends Handler implements AutoCloseable {
        private final Logger logger = Logger.getLogger("io.github.panagrad");
        private final List<String> texts = new ArrayList<>();

        Warnings() {
            logger.addHandler(this);
        }

        @Override
        public void publish(LogRecord line) {
            if (line.getLevel().equals(Level.WARNING)) {
                texts.add(java.text.MessageFormat.format(line.getMessage(), line.getParameters()));
            }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {
            logger.removeHandler(this);
        }
    }

    private List<JsonObject> steps(String objective) throws IOException {
        Path output = tune("out", "--objective", objective, "--method", "full", "--steps", "3");
        return objects(output.resolve("metrics.jsonl")).stream()
                .map(step -> step.object("report"))
                .toList();
    }

    /// A fresh model's softmax is flat: every entry but the target's is about 1/320.
    @Test
    void warnsOnceWhereMuchIsDropped() throws IOException {
        try (var warnings = new Warnings()) {
            for (JsonObject step : steps("cce:filter=0.02,block=1x1")) {
                assertThat(step.number("dropped")).isGreaterThan(0.3);
                assertThat(step.number("ce")).isBetween(5.0, 6.5);
            }
            assertThat(warnings.texts).hasSize(1);
            assertThat(warnings.texts.getFirst())
                    .contains("% of the gradient in step 1")
                    .contains("a threshold of 0.02")
                    .contains("lower it or switch it off");
        }
    }

    @Test
    void doesNotWarnWhereNothingIsLost() throws IOException {
        try (var warnings = new Warnings()) {
            for (JsonObject step : steps("cce")) {
                assertThat(step.number("dropped")).isZero();
            }
            assertThat(steps("cce:filter=off").getFirst().names()).doesNotContain("dropped");
            assertThat(warnings.texts).isEmpty();
        }
    }

    @Test
    void eitherGradientCanBeFilteredAlone() throws IOException {
        var losses = new ArrayList<Double>();
        for (String of : List.of("both", "hidden", "weight")) {
            List<JsonObject> steps = steps("cce:filter=0.02,block=1x1,of=" + of);
            assertThat(steps.getFirst().number("ce")).isBetween(5.0, 6.5);
            assertThat(steps.getFirst().number("dropped")).isGreaterThan(0.3);
            losses.add(steps.getLast().number("ce"));
        }
        assertThat(losses).doesNotHaveDuplicates();
    }
}
