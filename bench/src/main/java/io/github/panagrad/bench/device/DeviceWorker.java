package io.github.panagrad.bench.device;

import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.engine.spi.DeviceStatistics;
import io.github.panagrad.nn.io.JsonObject;
import java.util.Arrays;
import java.util.function.Function;

/// Measures a device in a process of its own, in which TornadoVM is loaded.
///
/// Prints a line of JSON a case.
final class DeviceWorker {
    private static final int RUNS = 7;

    private DeviceWorker() {}

    /// Runs all cases.
    ///
    /// @param args the device; `small` for sizes that a CPU can do
    public static void main(String[] args) {
        Device device = Device.parse(args[0]);
        boolean small = args.length > 1 && args[1].equals("small");
        for (Function<Device, Work> make : Work.all(small)) {
            try {
                System.out.println(measure(device, make.apply(device)));
            } catch (PanagradException failed) {
                System.out.println(JsonObject.of("error", failed.getMessage()));
            }
            // What the case kept is given back by the collector.
            System.gc();
        }
    }

    private static JsonObject measure(Device device, Work work) {
        work.run().run();
        work.run().run();
        double[] seconds = new double[RUNS];
        DeviceStatistics before = statistics(device);
        for (int i = 0; i < RUNS; i++) {
            long start = System.nanoTime();
            work.run().run();
            seconds[i] = (System.nanoTime() - start) * 1e-9;
        }
        DeviceStatistics after = statistics(device);
        Arrays.sort(seconds);
        double median = seconds[RUNS / 2];
        return JsonObject.of(
                "case",
                work.name(),
                "ms",
                median * 1e3,
                "gflops",
                work.flop() / median * 1e-9,
                "gbs",
                work.bytes() / median * 1e-9,
                "tokens_per_s",
                work.tokens() / median,
                "launches",
                (after.launches() - before.launches()) / RUNS,
                "compiled",
                (long) after.compiled() - before.compiled(),
                "bytes_in",
                (after.bytesIn() - before.bytesIn()) / RUNS,
                "bytes_out",
                (after.bytesOut() - before.bytesOut()) / RUNS,
                "peak_mb",
                after.peakBytes() * 1e-6);
    }

    private static DeviceStatistics statistics(Device device) {
        return Backends.of(device)
                .statistics(device)
                .orElseThrow(() ->
                        new PanagradException(
                                "device", "nothing to measure", device.toString(), "tornado", ""));
    }
}
