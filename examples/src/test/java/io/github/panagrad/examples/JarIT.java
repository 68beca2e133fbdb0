package io.github.panagrad.examples;

import static org.assertj.core.api.Assertions.assertThat;

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

    private Run run(Path java, String... arguments) throws IOException, InterruptedException {
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
            assertThat(process.waitFor(SECONDS, TimeUnit.SECONDS)).as("it ends").isTrue();
            return new Run(process.exitValue(), Files.readString(log, StandardCharsets.UTF_8));
        } finally {
            process.destroyForcibly();
        }
    }
}
