package io.github.panagrad.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.examples.tuning.TuningRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// Ctrl-C in a long run: what was trained is saved, and the exit code is that of the signal.
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "no kill -INT there")
class InterruptTest {
    private static final int SECONDS = 90;

    @TempDir Path folder;

    @Test
    void savesAndEndsWithTheSignalsExitCode() throws Exception {
        Path model = TinyModel.write(folder.resolve("model"));
        Path text = folder.resolve("text.txt");
        Files.writeString(text, "Anna went to the park. Ben found a red ball. ".repeat(40));
        Path output = folder.resolve("out");
        Path log = folder.resolve("log.txt");
        Process run = start(log, model, text, output);
        try {
            waitForSteps(run, output.resolve("metrics.jsonl"), log);
            Process kill = new ProcessBuilder("kill", "-INT", Long.toString(run.pid())).start();
            assertThat(kill.waitFor()).isZero();
            assertThat(run.waitFor(SECONDS, TimeUnit.SECONDS)).isTrue();
        } finally {
            run.destroyForcibly();
        }
        String printed = Files.readString(log);
        assertThat(run.exitValue()).as(printed).isEqualTo(130);
        assertThat(printed).doesNotContain("Exception");
        assertThat(output.resolve("adapter_model.safetensors")).exists();
        assertThat(output.resolve(TuningRun.STATE)).exists();
    }

    private static Process start(Path log, Path model, Path text, Path output) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-modules=jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Panagrad.class.getName(),
                        "finetune",
                        "--model=" + model,
                        "--data=" + text,
                        "--output=" + output,
                        "--seq-len=16",
                        "--batch-size=2",
                        "--steps=1000000")
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
    }

    private static void waitForSteps(Process run, Path metrics, Path log) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (!Files.exists(metrics) || Files.size(metrics) == 0) {
            assertThat(run.isAlive()).as(Files.readString(log)).isTrue();
            assertThat(System.nanoTime()).as("no step within the time").isLessThan(end);
            Thread.sleep(100);
        }
    }
}
