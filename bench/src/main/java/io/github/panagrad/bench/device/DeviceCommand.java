package io.github.panagrad.bench.device;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.io.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Measures kernels and training steps on a device of TornadoVM, beside PyTorch's where there are.
@Command(
        name = "device",
        mixinStandardHelpOptions = true,
        description = {
            "Measures kernels and whole training steps on a device of TornadoVM.",
            "TORNADOVM_HOME has to point at its SDK."
        })
public final class DeviceCommand implements Callable<Integer> {
    @Option(names = "--device", description = "Which device; ${DEFAULT-VALUE} if not given.")
    String device = "tornado";

    @Option(
            names = "--small",
            description = "Sizes that a CPU behind OpenCL can do, to try it out.")
    boolean small;

    @Option(
            names = "--peer",
            description = "What bench/device/pytorch.py wrote on the same device, for comparison.")
    @Nullable Path peer;

    @Option(names = "--json", description = "Where a line of JSON a case goes.")
    @Nullable Path json;

    @Option(
            names = "--matmul",
            split = ",",
            description = {
                "What the factors of products are rounded to, one after the other: f32, tf32, bf16,",
                "the latter two on tensor cores by cuBLAS; ${DEFAULT-VALUE} if not given."
            })
    List<String> precisions = List.of("f32");

    @Option(names = "--heap", description = "The JVM's heap; ${DEFAULT-VALUE} if not given.")
    String heap = "8g";

    /// Starts a worker for each precision and prints a table.
    @Override
    public Integer call() throws IOException, InterruptedException {
        Map<String, JsonObject> peers = peers();
        var lines = new ArrayList<String>();
        int status = 0;
        for (String precision : precisions) {
            status = Math.max(status, run(precision, peers, lines));
        }
        if (json != null) {
            Files.write(json, lines);
        }
        return status;
    }

    private int run(String precision, Map<String, JsonObject> peers, List<String> lines)
            throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(command(precision))
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        process.inputReader()
                .lines()
                .forEach(text -> {
                    if (text.startsWith("{")) {
                        lines.add(text);
                        JsonObject figures = JsonObject.parse("figures", text);
                        System.out.println(
                                figures.has("case") ? row(figures, peers) : head(figures));
                    } else {
                        System.out.println(text);
                    }
                });
        return process.waitFor();
    }

    private List<String> command(String precision) {
        String home = System.getenv("TORNADOVM_HOME");
        if (home == null || !Files.isReadable(Path.of(home, "tornado-argfile"))) {
            throw new PanagradException(
                    "device",
                    "no TornadoVM SDK",
                    "TORNADOVM_HOME=" + home,
                    "an SDK with a tornado-argfile",
                    "point TORNADOVM_HOME at it");
        }
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("@" + Path.of(home, "tornado-argfile"));
        command.add("--module-path=" + Path.of(home, "share", "java", "tornado"));
        command.add("--add-modules=jdk.incubator.vector");
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("-Xmx" + heap);
        command.add("-Dpanagrad.tornado.matmul=" + precision);
        String memory = System.getProperty("panagrad.tornado.memory");
        if (memory != null) {
            command.add("-Dpanagrad.tornado.memory=" + memory);
        }
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(DeviceWorker.class.getName());
        command.add(device);
        command.add(precision);
        if (small) {
            command.add("small");
        }
        return command;
    }

    private Map<String, JsonObject> peers() throws IOException {
        var peers = new LinkedHashMap<String, JsonObject>();
        if (peer != null) {
            for (String text : Files.readAllLines(peer)) {
                JsonObject figures = JsonObject.parse("figures", text);
                peers.put(figures.string("case"), figures);
            }
        }
        return peers;
    }

    /// Says what the device can do, and heads the table of what was done.
    private static String head(JsonObject limits) {
        return "%s: %s GFLOP/s in %s, %s GB/s in a = b + s c%n%s"
                .formatted(
                        limits.string("device"),
                        format(limits.number("limit_gflops")),
                        limits.string("limit_work"),
                        format(limits.number("limit_gbs")),
                        line(
                                "case",
                                "ms",
                                "GFLOP/s",
                                "GB/s",
                                "of limit",
                                "tokens/s",
                                "launches",
                                "peak MB",
                                "PyTorch",
                                "ratio"));
    }

    private static String row(JsonObject figures, Map<String, JsonObject> peers) {
        String name = figures.string("case");
        if (figures.has("error")) {
            return name + ": " + figures.string("error");
        }
        double ms = figures.number("ms");
        JsonObject beside = peers.get(name);
        return line(
                name,
                format(ms),
                format(figures.number("gflops")),
                format(figures.number("gbs")),
                share(figures),
                format(figures.number("tokens_per_s")),
                format(figures.number("launches")),
                format(figures.number("peak_mb")),
                beside == null ? "" : format(beside.number("ms")),
                beside == null ? "" : format(beside.number("ms") / ms));
    }

    /// Returns how near a case comes to the limit that binds it, the one that it is nearer to.
    private static String share(JsonObject figures) {
        double share =
                Math.max(figures.number("share_of_flops"), figures.number("share_of_bandwidth"));
        return String.format(Locale.ROOT, "%.0f%% %s", 100 * share, figures.string("limit"));
    }

    private static String format(double value) {
        return String.format(Locale.ROOT, value < 10 ? "%.2f" : "%.0f", value);
    }

    private static String line(Object... cells) {
        return "%-46s %10s %10s %8s %11s %10s %9s %9s %9s %7s".formatted(cells);
    }
}
