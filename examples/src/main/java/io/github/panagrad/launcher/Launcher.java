package io.github.panagrad.launcher;

import java.io.Console;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Starts Panagrad on a Java that can run it, with the flags it wants.
///
/// Two variables steer it: `PANAGRAD_JAVA` names the Java to use, `PANAGRAD_JAVA_OPTS` holds
/// options for the JVM, separated by blanks, that come after Panagrad's own (`-Xmx8g`).
public final class Launcher {
    private static final String PROGRAM = "io.github.panagrad.examples.Panagrad";
    private static final int USAGE = 2;

    private Launcher() {}

    /// Runs the command line.
    ///
    /// @param arguments what the user typed; `--verbose` among them shows the command that is run
    public static void main(String[] arguments) throws Throwable {
        if (runsHere()) {
            runHere(arguments);
            return;
        }
        boolean verbose = List.of(arguments).contains("--verbose");
        try {
            JavaHome java =
                    new JavaSearch(
                                    System.getenv(),
                                    Path.of("/"),
                                    Path.of(System.getProperty("user.home", ".")),
                                    Path.of(System.getProperty("java.home")))
                            .find();
            List<String> command =
                    command(java.executable(), jar(), System.getenv(), terminal(), arguments);
            if (verbose) {
                System.err.println("panagrad: " + java);
                System.err.println("panagrad: " + String.join(" ", command));
            }
            System.exit(ChildProcess.run(command));
        } catch (LaunchException cannotStart) {
            System.err.println("panagrad: " + cannotStart.getMessage());
        } catch (IOException notStarted) {
            System.err.println("panagrad: Java could not be started; " + notStarted.getMessage());
        }
        System.exit(USAGE);
    }

    /// Tells whether this JVM was already started the way Panagrad wants it.
    private static boolean runsHere() {
        return Runtime.version().feature() >= JavaHome.OLDEST
                && ModuleLayer.boot().findModule(JavaHome.VECTOR_MODULE).isPresent();
    }

    private static void runHere(String[] arguments) throws Throwable {
        try {
            Class.forName(PROGRAM)
                    .getMethod("main", String[].class)
                    .invoke(null, (Object) arguments);
        } catch (InvocationTargetException thrown) {
            throw thrown.getCause();
        }
    }

    /// Composes the command that runs Panagrad.
    static List<String> command(
            Path java,
            Path jar,
            Map<String, String> environment,
            boolean terminal,
            String[] arguments)
            throws LaunchException {
        List<String> command = new ArrayList<>();
        command.add(java.toString());
        command.addAll(TornadoFlags.of(arguments, environment));
        command.add("--add-modules=" + JavaHome.VECTOR_MODULE);
        command.add("--enable-native-access=ALL-UNNAMED");
        // Few large arrays that live as long as a step: throughput counts, pauses do not.
        command.add("-XX:+UseParallelGC");
        // The rest is for mapped weights, packed panels and whatever else the machine does.
        command.add("-XX:MaxRAMPercentage=70");
        command.add("-Djava.awt.headless=true");
        command.add("-Dpanagrad.terminal=" + terminal);
        String more = environment.getOrDefault("PANAGRAD_JAVA_OPTS", "").trim();
        if (!more.isEmpty()) {
            command.addAll(List.of(more.split("\\s+")));
        }
        command.add("-cp");
        command.add(jar.toString());
        command.add(PROGRAM);
        command.addAll(List.of(arguments));
        return command;
    }

    private static Path jar() throws LaunchException {
        try {
            return Path.of(
                    Launcher.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException notAFile) {
            throw new LaunchException("the program's own jar could not be found.");
        }
    }

    /// Tells whether standard error is a terminal. The child cannot, since its own is a pipe.
    private static boolean terminal() {
        if (System.console() == null || !consoleIsTerminal()) {
            return false;
        }
        Path standardError = Path.of("/proc/self/fd/2");
        try {
            // only Linux lets us look at standard error itself
            return !Files.isSymbolicLink(standardError)
                    || Files.readSymbolicLink(standardError).toString().matches("/dev/(pts|tty).*");
        } catch (IOException unknown) {
            return true;
        }
    }

    /// From Java 22 on there is a console without a terminal, too, and a method to ask.
    private static boolean consoleIsTerminal() {
        try {
            return Boolean.TRUE.equals(
                    Console.class.getMethod("isTerminal").invoke(System.console()));
        } catch (ReflectiveOperationException olderJava) {
            return true;
        }
    }
}
