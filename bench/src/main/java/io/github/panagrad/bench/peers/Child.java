package io.github.panagrad.bench.peers;

import io.github.panagrad.engine.ground.PanagradException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// Starts workers: JVMs with the flags that a user gives.
final class Child {
    /// Lets the C library keep freed memory. As it comes, it hands large blocks back to the operating
    /// system and fetches them again, zeroed page by page: libtorch's training step took four times
    /// as long.
    private static final Map<String, String> KEEP_MEMORY =
            Map.of(
                    "MALLOC_ARENA_MAX", "1",
                    "MALLOC_MMAP_MAX_", "0",
                    "MALLOC_TRIM_THRESHOLD_", "100000000000",
                    "MALLOC_TOP_PAD_", "268435456");

    private Child() {}

    /// Runs a worker to its end and hands on the lines it prints as they come.
    ///
    /// @param main the worker's class
    /// @param flags further flags: the size of the heap
    /// @param timed whether it is time that is measured, not memory
    /// @throws PanagradException if it fails: its last words went to the error stream
    static void run(
            Class<?> main,
            List<String> flags,
            int threads,
            boolean timed,
            List<String> arguments,
            Consumer<String> line) {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--add-modules=jdk.incubator.vector");
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(flags);
        // The peers' natives are chosen and loaded by their code here; and a process's size is not
        // looked up at every tensor that is made.
        command.add("-Dorg.bytedeco.javacpp.loadlibraries=false");
        command.add("-Dorg.bytedeco.javacpp.maxBytes=0");
        command.add("-Dorg.bytedeco.javacpp.maxPhysicalBytes=0");
        command.add("-D" + JAR + "=" + jar());
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(main.getName());
        command.addAll(arguments);
        var builder = new ProcessBuilder(command);
        builder.redirectError(ProcessBuilder.Redirect.INHERIT);
        Map<String, String> environment = builder.environment();
        // What steers a peer is set here and nowhere else.
        environment.keySet().removeIf(name -> name.matches("(OPENBLAS|MKL|OMP|KMP|GOTO)_.*"));
        for (String name : new String[] {"OMP", "MKL", "OPENBLAS"}) {
            environment.put(name + "_NUM_THREADS", "" + threads);
        }
        if (timed) {
            environment.putAll(KEEP_MEMORY);
        }
        try {
            Process process = builder.start();
            process.inputReader().lines().forEach(line);
            int status = process.waitFor();
            if (status != 0) {
                throw new PanagradException(
                        "peers", "a child process failed", "status " + status, "", "" + arguments);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PanagradException("peers", "interrupted", "", "", "");
        }
    }

    /// The property that tells a worker where the jar is, beside which the natives lie.
    static final String JAR = "panagrad.bench.jar";

    private static Path jar() {
        try {
            return Path.of(Child.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
