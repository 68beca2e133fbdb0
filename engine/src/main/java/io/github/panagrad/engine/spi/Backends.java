package io.github.panagrad.engine.spi;

import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/// The backends of this process, and a record of which kernels ran.
public final class Backends {
    private static final Map<String, Backend> ALL = load();
    private static final Map<Ran, LongAdder> RAN = new ConcurrentHashMap<>();

    private static final AtomicBoolean WARNED = new AtomicBoolean();

    private Backends() {}

    private record Ran(String backend, Class<?> op, String how) {}

    private static Map<String, Backend> load() {
        var found = new LinkedHashMap<String, Backend>();
        for (var backend : ServiceLoader.load(Backend.class, Backends.class.getClassLoader())) {
            found.put(backend.name(), backend);
        }
        return found;
    }

    /// Returns all backends by name, the unavailable ones too.
    public static Map<String, Backend> all() {
        return Map.copyOf(ALL);
    }

    /// Returns the backend of a device.
    ///
    /// The CPU without its vector kernels is the one exception to "unavailable is an error": it
    /// warns once and runs on the reference kernels.
    ///
    /// @throws PanagradException if there is none of that name, or it cannot be used here; the
    ///     message says why and what to do
    public static Backend of(Device device) {
        Backend backend = ALL.get(device.backend());
        if (backend == null) {
            throw new PanagradException(
                    "device",
                    "no such backend",
                    device.toString(),
                    String.join(", ", ALL.keySet()),
                    "");
        }
        var reason = backend.unavailable();
        if (reason.isPresent() && device.backend().equals(Device.CPU.backend())) {
            if (WARNED.compareAndSet(false, true)) {
                System.getLogger("io.github.panagrad")
                        .log(
                                System.Logger.Level.WARNING,
                                "slow reference kernels: " + reason.get());
            }
            return of(Device.REFERENCE);
        }
        if (reason.isPresent()) {
            throw new PanagradException("device " + device + ": " + reason.get());
        }
        return backend;
    }

    /// Notes that an op ran, for [#explain].
    ///
    /// @param how the kernel's name, or why there was none
    public static void ran(String backend, Class<?> op, String how) {
        RAN.computeIfAbsent(new Ran(backend, op, how), r -> new LongAdder()).increment();
    }

    private static String nested(Class<?> op) {
        Class<?> outer = op.getEnclosingClass();
        return outer == null ? op.getSimpleName() : nested(outer) + "." + op.getSimpleName();
    }

    /// Forgets which kernels ran.
    public static void clearLog() {
        RAN.clear();
    }

    /// Returns, a line each, which op ran on which backend by which kernel, and how often.
    ///
    /// A line that says `reference` marks an op without a fast kernel.
    public static String explain() {
        var lines = new TreeMap<String, Long>();
        RAN.forEach((ran, count) ->
                lines.put(
                        "%-10s %-28s %s".formatted(ran.backend, nested(ran.op), ran.how),
                        count.sum()));
        var text = new StringBuilder();
        ALL.forEach((name, backend) ->
                text.append("backend ")
                        .append(name)
                        .append(": ")
                        .append(
                                backend.unavailable()
                                        .map(why -> "unavailable, " + why)
                                        .orElseGet(() -> String.join("; ", backend.devices())))
                        .append('\n'));
        lines.forEach((line, count) -> text.append(line).append("  x").append(count).append('\n'));
        return text.toString();
    }
}
