package io.github.panagrad.examples.command;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import jdk.jshell.tool.JavaShellToolBuilder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// Opens JShell with the library at hand.
@Command(
        name = "shell",
        description = {
            "Opens JShell with Panagrad on the class path and its imports done. Try:",
            "  var w = parameter(\"w\", randn(3, 4))",
            "  var loss = silu(randn(2, 3).matmul(w)).square().mean()",
            "  loss.backward().get(w)"
        })
public final class ShellCommand implements Callable<Integer> {
    private static final String IMPORTS = "shell-imports.jsh";

    @Parameters(
            arity = "0..*",
            paramLabel = "FILE",
            description = "Scripts to run, one after the other; end the last with /exit to leave.")
    private List<Path> scripts = new ArrayList<>();

    ShellCommand() {}

    @Override
    public Integer call() throws Exception {
        Path imports = Files.createTempFile("panagrad-imports", ".jsh");
        try {
            Files.writeString(imports, resource(IMPORTS));
            return JavaShellToolBuilder.builder().start(arguments(imports));
        } finally {
            Files.deleteIfExists(imports);
        }
    }

    private String[] arguments(Path imports) {
        List<String> arguments =
                new ArrayList<>(
                        List.of(
                                "--class-path",
                                System.getProperty("java.class.path"),
                                "--add-modules=jdk.incubator.vector",
                                "-R--add-modules=jdk.incubator.vector",
                                "-R--enable-native-access=ALL-UNNAMED",
                                "-R-XX:+UseParallelGC",
                                "-R-XX:MaxRAMPercentage=70",
                                "-R-Djava.awt.headless=true",
                                "--startup",
                                "DEFAULT",
                                "--startup",
                                imports.toString()));
        scripts.forEach(script -> arguments.add(script.toString()));
        return arguments.toArray(String[]::new);
    }

    private static String resource(String name) {
        try (InputStream text = ShellCommand.class.getResourceAsStream(name)) {
            if (text == null) {
                throw new IllegalStateException(name + " is not in the jar");
            }
            return new String(text.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
