package io.github.panagrad.examples.command;

import com.sun.management.OperatingSystemMXBean;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.spi.Backend;
import io.github.panagrad.engine.spi.Backends;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// Shows what Panagrad found: Java, memory, threads and backends.
@Command(
        name = "info",
        description =
                "Shows the Java, the memory, the vector width and the backends that are used.")
public final class InfoCommand implements Runnable {
    private static final double GIB = 1 << 30;

    @Spec private CommandSpec spec;

    @SuppressWarnings("UnusedVariable") // TornadoVM is loaded where a device of its is asked for
    @Mixin
    private DeviceOption where;

    InfoCommand() {}

    @Override
    public void run() {
        PrintWriter out = spec.commandLine().getOut();
        line(out, "java", Runtime.version() + ", " + System.getProperty("java.vm.name"));
        line(out, "java home", System.getProperty("java.home"));
        line(
                out,
                "system",
                "%s %s, %s"
                        .formatted(
                                System.getProperty("os.name"),
                                System.getProperty("os.version"),
                                System.getProperty("os.arch")));
        line(out, "processors", Runtime.getRuntime().availableProcessors());
        line(out, "threads", Parallel.threads());
        line(out, "memory", "%.1f GiB".formatted(physicalMemory() / GIB));
        line(out, "heap", "%.1f GiB at most".formatted(Runtime.getRuntime().maxMemory() / GIB));
        line(
                out,
                "collector",
                ManagementFactory.getGarbageCollectorMXBeans().stream()
                        .map(collector -> collector.getName())
                        .collect(Collectors.joining(", ")));
        Map<String, Backend> backends = new TreeMap<>(Backends.all());
        backends.forEach((name, backend) -> line(out, "backend " + name, state(backend)));
        if (DeviceOption.lacksTornado()) {
            line(out, "backend tornado", DeviceOption.NO_TORNADO);
        }
    }

    private static String state(Backend backend) {
        return backend.unavailable()
                .map(reason -> "unavailable: " + reason)
                .orElseGet(() -> String.join("; ", backend.devices()));
    }

    private static void line(PrintWriter out, String what, Object value) {
        out.printf("%-18s %s%n", what, value);
    }

    private static double physicalMemory() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class)
                .getTotalMemorySize();
    }
}
