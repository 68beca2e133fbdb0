package io.github.panagrad.bench.device;

import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.spi.Backend;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.engine.spi.DeviceLimits;
import io.github.panagrad.engine.spi.DeviceStatistics;
import io.github.panagrad.nn.io.JsonObject;
import java.util.Arrays;

/// Measures a device in a process of its own, in which TornadoVM is loaded.
///
/// Prints a line of JSON for the device, then one a case.
final class DeviceWorker {
    private static final int RUNS = 7;

    /// Nanoseconds of each case before it is timed: a host that is behind the device needs its JIT
    /// compiler.
    private static final long WARM_UP = 8_000_000_000L;

    private DeviceWorker() {}

    /// Runs all cases.
    ///
    /// @param args the device; what factors are rounded to; `small` for sizes that a CPU can do
    public static void main(String[] args) {
        Device device = Device.parse(args[0]);
        String suffix = args[1].equals("f32") ? "" : ", " + args[1];
        boolean small = args.length > 2 && args[2].equals("small");
        DeviceLimits limits = Backends.of(device).limits(device).orElseThrow(() -> nothing(device));
        System.out.println(
                JsonObject.of(
                        "device",
                        Backends.of(device).devices().get(device.index()),
                        "limit_gflops",
                        limits.flops() * 1e-9,
                        "limit_work",
                        limits.work(),
                        "limit_gbs",
                        limits.bytesPerSecond() * 1e-9));
        for (Work work : Work.all(small)) {
            try {
                System.out.println(measure(device, work, work.name() + suffix, limits));
            } catch (PanagradException | OutOfMemoryError failed) {
                System.out.println(
                        JsonObject.of("case", work.name() + suffix, "error", failed.getMessage()));
            }
            // What the case kept is given back by the collector.
            System.gc();
        }
    }

    private static JsonObject measure(Device device, Work work, String name, DeviceLimits limits) {
        Backend backend = Backends.of(device);
        Runnable run = work.prepare().apply(device);
        long warm = System.nanoTime() + WARM_UP;
        do {
            run.run();
            backend.finish(device);
        } while (System.nanoTime() < warm);
        backend.forgetPeak(device);
        double[] seconds = new double[RUNS];
        DeviceStatistics before = statistics(device);
        for (int i = 0; i < RUNS; i++) {
            long start = System.nanoTime();
            run.run();
            backend.finish(device);
            seconds[i] = (System.nanoTime() - start) * 1e-9;
        }
        DeviceStatistics after = statistics(device);
        Arrays.sort(seconds);
        double median = seconds[RUNS / 2];
        double flops = work.flop() / median;
        double bytesPerSecond = work.bytes() / median;
        double ofFlops = flops / limits.flops();
        double ofBandwidth = bytesPerSecond / limits.bytesPerSecond();
        return JsonObject.of(
                "case",
                name,
                "ms",
                median * 1e3,
                "gflops",
                flops * 1e-9,
                "gbs",
                bytesPerSecond * 1e-9,
                "share_of_flops",
                ofFlops,
                "share_of_bandwidth",
                ofBandwidth,
                "limit",
                ofFlops >= ofBandwidth ? "FLOP/s" : "GB/s",
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
        return Backends.of(device).statistics(device).orElseThrow(() -> nothing(device));
    }

    private static PanagradException nothing(Device device) {
        return new PanagradException(
                "device", "nothing to measure", device.toString(), "tornado", "");
    }
}
