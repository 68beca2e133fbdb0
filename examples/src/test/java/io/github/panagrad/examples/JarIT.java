package io.github.panagrad.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.panagrad.nn.io.JsonObject;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The finished jar, started as a user starts it.
class JarIT {
    private static final Path JAR = Path.of(System.getProperty("panagrad.jar"));
    private static final int SECONDS = 180;

    /// A device made of CPU cores compiles its kernels anew in each process.
    private static final int SECONDS_ON_A_DEVICE = 900;

    /// Relative to the CPU's loss.
    private static final double TOLERANCE = 1e-4;

    @TempDir Path folder;

    /// What a run printed on both streams, and how it ended.
    private record Run(int exitCode, String printed) {}

    /// The Java that runs the tests and, where there is one, whatever `java` is on the path.
    static Stream<Path> javas() {
        String name = File.separatorChar == '\\' ? "java.exe" : "java";
        Set<Path> found = new LinkedHashSet<>();
        found.add(Path.of(System.getProperty("java.home"), "bin", name));
        Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .map(entry -> Path.of(entry, name))
                .filter(Files::isExecutable)
                .findFirst()
                .ifPresent(found::add);
        return found.stream();
    }

    @ParameterizedTest
    @MethodSource("javas")
    void startsWithAnyJava(Path java) throws Exception {
        Run run = run(java, "info");
        assertThat(run.exitCode).as(run.printed).isZero();
        assertThat(run.printed).contains("cpu", "reference").doesNotContain("WARNING");
    }

    @Test
    void answersAMistakeWithALineAndExitCodeTwo() throws Exception {
        Run run = run(javas().findFirst().orElseThrow(), "eval", "--model=nowhere", "--data=none");
        assertThat(run.exitCode).isEqualTo(2);
        assertThat(run.printed.lines()).hasSize(1);
        assertThat(run.printed).contains("nowhere");
    }

    @Test
    void quickStartNeedsNothingElse() throws Exception {
        Path java = javas().findFirst().orElseThrow();
        Run run = run(java, "quickstart", "--steps=3");
        assertThat(run.exitCode).as(run.printed).isZero();
        Path output = folder.resolve("panagrad-quickstart");
        assertThat(output.resolve("loss.png")).isNotEmptyFile();
        assertThat(output.resolve("metrics.jsonl")).isNotEmptyFile();
        assertThat(output.resolve("adapter/adapter_model.safetensors")).isNotEmptyFile();

        Run story =
                run(
                        java,
                        "generate",
                        "--model=" + output.resolve("merged"),
                        "--prompt=It was a cold day.",
                        "--max-tokens=12",
                        "--temperature=0");
        assertThat(story.exitCode).as(story.printed).isZero();
        assertThat(story.printed.split("\\s+")).hasSizeGreaterThan(5);
    }

    /// The jar adds TornadoVM's options itself; all that a user sets is the SDK's folder.
    @Test
    void trainsAndGeneratesOnADeviceAsOnTheCpu() throws Exception {
        assumeTrue(
                System.getenv("TORNADOVM_HOME") != null,
                "TORNADOVM_HOME is not set: no TornadoVM SDK to run on");
        Path model = TinyModel.write(Files.createDirectory(folder.resolve("model")));
        Path data = folder.resolve("train.txt");
        Files.writeString(data, "The cat sat in the sun and slept. ".repeat(40));
        List<Double> expected = tuned("cpu", model, data);
        List<Double> losses = tuned("tornado", model, data);

        assertThat(losses).hasSameSizeAs(expected);
        for (int i = 0; i < losses.size(); i++) {
            assertThat(losses.get(i))
                    .isCloseTo(expected.get(i), within(TOLERANCE * expected.get(i)));
        }
        assertThat(written("tornado")).isEqualTo(written("cpu")).isNotBlank();
    }

    /// Tunes some entries of a model and returns the losses.
    private List<Double> tuned(String device, Path model, Path data) throws Exception {
        Path output = folder.resolve("on-" + device);
        Run run =
                run(
                        SECONDS_ON_A_DEVICE,
                        javas().findFirst().orElseThrow(),
                        "finetune",
                        "--device=" + device,
                        "--model=" + model,
                        "--data=" + data,
                        "--output=" + output,
                        "--method=sparse",
                        "--steps=3",
                        "--seq-len=16",
                        "--batch-size=2",
                        "--lr=0.01");
        assertThat(run.exitCode).as(run.printed).isZero();
        return Files.readAllLines(output.resolve("metrics.jsonl")).stream()
                .map(line -> JsonObject.parse("metrics", line))
                .filter(step -> step.has("loss"))
                .map(step -> step.number("loss"))
                .toList();
    }

    /// Returns what the model tuned on the CPU writes on a device.
    private String written(String device) throws Exception {
        Run run =
                run(
                        SECONDS_ON_A_DEVICE,
                        javas().findFirst().orElseThrow(),
                        "generate",
                        "--device=" + device,
                        "--model=" + folder.resolve("on-cpu"),
                        "--prompt=The cat",
                        "--max-tokens=8",
                        "--temperature=0");
        assertThat(run.exitCode).as(run.printed).isZero();
        return run.printed;
    }

    private Run run(Path java, String... arguments) throws IOException, InterruptedException {
        return run(SECONDS, java, arguments);
    }

    private Run run(int seconds, Path java, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(java.toString(), "-jar", JAR.toString()));
        command.addAll(List.of(arguments));
        Path log = folder.resolve("log.txt");
        Process process =
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        try {
            assertThat(process.waitFor(seconds, TimeUnit.SECONDS)).as("it ends").isTrue();
            return new Run(process.exitValue(), Files.readString(log, StandardCharsets.UTF_8));
        } finally {
            process.destroyForcibly();
        }
    }
}
