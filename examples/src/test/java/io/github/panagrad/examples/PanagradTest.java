package io.github.panagrad.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.ground.PanagradException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

class PanagradTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void listsItsCommandsWithoutArguments() {
        assertThat(run()).isZero();
        assertThat(out.toString()).contains("Usage: panagrad", "Commands:", "info", "shell");
    }

    static Stream<String> commands() {
        return new CommandLine(new Panagrad()).getSubcommands().keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("commands")
    void explainsEveryCommandAndEveryOption(String command) {
        assertThat(run(command, "--help")).isZero();
        assertThat(out.toString()).startsWith("Usage: panagrad " + command);
        assertThat(err.toString()).isEmpty();

        CommandSpec spec =
                new CommandLine(new Panagrad()).getSubcommands().get(command).getCommandSpec();
        assertThat(spec.usageMessage().description()).isNotEmpty();
        assertThat(spec.args())
                .allSatisfy(argument -> assertThat(argument.description()).isNotEmpty());
    }

    @Test
    void saysItsVersion() {
        assertThat(run("--version")).isZero();
        assertThat(out.toString()).startsWith("Panagrad").contains("Java 25");
    }

    @ParameterizedTest
    @MethodSource("misuses")
    void answersMisuseWithOneLine(String arguments, String line) {
        assertThat(run(arguments.split(" "))).isEqualTo(2);
        assertThat(err.toString().strip()).isEqualTo(line);
        assertThat(out.toString()).isEmpty();
    }

    static Stream<Arguments> misuses() {
        return Stream.of(
                Arguments.of(
                        "quikstart",
                        "panagrad: Unmatched argument at index 0: 'quikstart'; did you mean quickstart or"
                                + " delta?;"
                                + " see 'panagrad --help'"),
                Arguments.of(
                        "info --nope",
                        "panagrad info: Unknown option: '--nope'; see 'panagrad info --help'"));
    }

    @Test
    void describesTheMachine() {
        assertThat(run("info")).isZero();
        assertThat(out.toString())
                .contains(Runtime.version().toString(), "heap", "threads")
                .containsPattern("backend cpu +\\d+-bit vectors");
    }

    @ParameterizedTest
    @MethodSource("failures")
    void putsEveryFailureInOneLine(Throwable failure, String line) {
        assertThat(Failure.line(failure)).isEqualTo(line);
    }

    static Stream<Arguments> failures() {
        return Stream.of(
                Arguments.of(
                        new PanagradException("data: empty file; got a.txt;\n  expected text"),
                        "data: empty file; got a.txt;; expected text"),
                Arguments.of(new NoSuchFileException("a.txt"), "a.txt: no such file or directory"),
                Arguments.of(new AccessDeniedException("out"), "out: permission denied"),
                Arguments.of(
                        new UncheckedIOException(new NoSuchFileException("b")),
                        "b: no such file or directory"),
                Arguments.of(new FileNotFoundException("c (gone)"), "c (gone)"),
                Arguments.of(new IOException("disk full"), "input or output failed: disk full"),
                Arguments.of(
                        new IllegalStateException("odd"),
                        "unexpected IllegalStateException: odd; run it again with --verbose for"
                                + " the stack trace"),
                Arguments.of(
                        new NullPointerException(),
                        "unexpected NullPointerException; run it again with --verbose for the"
                                + " stack trace"));
    }

    @Test
    void namesTheHeapWhenMemoryRunsOut() {
        assertThat(Failure.line(new OutOfMemoryError("Java heap space")))
                .startsWith("out of memory (Java heap space); got a heap of")
                .contains("--batch-size", "PANAGRAD_JAVA_OPTS=-Xmx");
    }

    private int run(String... arguments) {
        return Panagrad.run(arguments, new PrintWriter(out, true), new PrintWriter(err, true));
    }
}
