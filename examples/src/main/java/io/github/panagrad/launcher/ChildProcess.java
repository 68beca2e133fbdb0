package io.github.panagrad.launcher;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import sun.misc.Signal;

/// Runs a command in this process's place: it shares the standard streams, gets the signals and
/// gives the exit code.
final class ChildProcess {
    /// What the JVM prints for every program that uses the Vector API, and no flag turns off.
    private static final String INCUBATOR_WARNING =
            "WARNING: Using incubator modules: " + JavaHome.VECTOR_MODULE;

    private ChildProcess() {}

    /// Runs a command to its end.
    ///
    /// Ctrl-C at a terminal reaches the child by itself; a signal sent to this process alone is
    /// passed on. Standard error is copied rather than shared, to leave the JVM's warning about the
    /// Vector API out.
    ///
    /// @return the child's exit code
    static int run(List<String> command) throws IOException, InterruptedException {
        Process child =
                new ProcessBuilder(command)
                        .redirectInput(ProcessBuilder.Redirect.INHERIT)
                        .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                        .start();
        boolean windows = System.getProperty("os.name", "").startsWith("Windows");
        for (String name : windows ? List.of("INT", "TERM") : List.of("INT", "TERM", "HUP")) {
            forward(name, child, windows);
        }
        Thread errors = new Thread(() -> copyErrors(child.getErrorStream()), "standard-error");
        errors.setDaemon(true);
        errors.start();
        int code = child.waitFor();
        errors.join();
        return code;
    }

    private static void forward(String name, Process child, boolean windows) {
        Signal.handle(
                new Signal(name),
                signal -> {
                    if (name.equals("TERM")) {
                        child.destroy();
                    } else if (!windows) {
                        // the shell's own kill exists where no program of that name does
                        send(name, child.pid());
                    }
                });
    }

    private static void send(String signal, long pid) {
        try {
            new ProcessBuilder("/bin/sh", "-c", "kill -" + signal + " " + pid)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException noShell) {
            // the child has the terminal's signal at least
        }
    }

    private static void copyErrors(InputStream from) {
        try (InputStream errors = from) {
            LineFilter to = new LineFilter(System.err, INCUBATOR_WARNING);
            byte[] buffer = new byte[8192];
            for (int count = errors.read(buffer); count >= 0; count = errors.read(buffer)) {
                to.write(buffer, 0, count);
                to.flush();
            }
            to.close();
        } catch (IOException closed) {
            // one of the two ends went away; the exit code tells the rest
        }
    }
}
