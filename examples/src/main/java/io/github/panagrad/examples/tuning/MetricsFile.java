package io.github.panagrad.examples.tuning;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.train.StepMetrics;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.TreeMap;

/// Writes the figures of each step to a file, an object of JSON a line, at once: whoever follows
/// the file sees the run, and a crash loses nothing.
public final class MetricsFile implements AutoCloseable {
    private final Path file;
    private final BufferedWriter writer;

    private MetricsFile(Path file, BufferedWriter writer) {
        this.file = file;
        this.writer = writer;
    }

    /// Opens the file.
    ///
    /// @param resumed whether to write on behind what is there; else that is lost
    /// @throws PanagradException if it cannot be written
    public static MetricsFile open(Path file, boolean resumed) {
        try {
            return new MetricsFile(
                    file,
                    Files.newBufferedWriter(
                            file,
                            StandardOpenOption.CREATE,
                            resumed
                                    ? StandardOpenOption.APPEND
                                    : StandardOpenOption.TRUNCATE_EXISTING,
                            StandardOpenOption.WRITE));
        } catch (IOException unwritable) {
            throw failed(file, unwritable);
        }
    }

    /// Writes a step: `step, loss, lr, grad_norm, tokens, tokens_per_second`, and `report` with what
    /// the objective reported, if it did.
    public void write(StepMetrics step) {
        var figures = new LinkedHashMap<String, Object>();
        figures.put("step", step.step());
        figures.put("loss", step.loss());
        figures.put("lr", step.lr());
        figures.put("grad_norm", step.gradNorm());
        figures.put("tokens", step.tokens());
        figures.put("tokens_per_second", Math.round(10 * step.tokensPerSecond()) / 10.0);
        if (!step.report().isEmpty()) {
            figures.put("report", JsonObject.of(new TreeMap<>(step.report())));
        }
        line(JsonObject.of(figures));
    }

    /// Writes an object of its own.
    public void line(JsonObject object) {
        try {
            writer.write(object.toString());
            writer.write('\n');
            writer.flush();
        } catch (IOException unwritable) {
            throw failed(file, unwritable);
        }
    }

    @Override
    public void close() {
        try {
            writer.close();
        } catch (IOException unwritable) {
            throw failed(file, unwritable);
        }
    }

    private static PanagradException failed(Path file, IOException cause) {
        return new PanagradException(file + ": cannot be written; " + cause, cause);
    }
}
