package io.github.panagrad.tornado;

import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.tornado.cublas.CuBlasTask;
import io.github.panagrad.tornado.device.PanagradDevice;
import io.github.panagrad.tornado.kernel.DeviceKernels;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import uk.ac.manchester.tornado.api.TornadoBackend;
import uk.ac.manchester.tornado.api.TornadoRuntime;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;

/// TornadoVM's devices, all drivers' in a row, and those that were opened.
final class Devices {
    /// How much of a device's memory tensors may take if nothing else is said.
    private static final double SHARE = 0.8;

    private static final Map<Device, Open> OPEN = new ConcurrentHashMap<>();

    private Devices() {}

    /// A device in use.
    record Open(PanagradDevice memory, DeviceKernels kernels) {}

    /// Returns why there are no devices; empty if there are some.
    static Optional<String> unavailable() {
        try {
            return all().isEmpty()
                    ? Optional.of(
                            "TornadoVM found no device; is a driver for OpenCL or CUDA installed?")
                    : Optional.empty();
        } catch (RuntimeException | LinkageError failed) {
            return Optional.of("TornadoVM did not start: " + failed);
        }
    }

    /// Describes each device in a line.
    static List<String> describe() {
        return all().stream()
                .map(d ->
                        "%s, %.1f GiB (%s%s)"
                                .formatted(
                                        d.getPhysicalDevice().getDeviceName(),
                                        (double) d.getMaxGlobalMemory() / (1 << 30),
                                        d.getTornadoVMBackend(),
                                        PanagradDevice.isCuda(d) && CuBlasTask.isAvailable()
                                                ? ", products by cuBLAS"
                                                : ""))
                .toList();
    }

    private static List<TornadoDevice> all() {
        TornadoRuntime runtime = TornadoRuntimeProvider.getTornadoRuntime();
        var devices = new ArrayList<TornadoDevice>();
        for (int b = 0; b < runtime.getNumBackends(); b++) {
            TornadoBackend backend = runtime.getBackend(b);
            for (int d = 0; d < backend.getNumDevices(); d++) {
                devices.add(backend.getDevice(d));
            }
        }
        return devices;
    }

    /// Returns a device, opened when first asked for.
    ///
    /// @throws PanagradException if there is none of that number
    static Open get(Device device) {
        return OPEN.computeIfAbsent(device, Devices::open);
    }

    private static Open open(Device device) {
        List<TornadoDevice> all = all();
        if (device.index() >= all.size()) {
            throw new PanagradException(
                    "device",
                    "no such device",
                    device.toString(),
                    String.join("; ", describe()),
                    "numbers begin with 0");
        }
        TornadoDevice tornado = all.get(device.index());
        // floats, for which there are a fourth as many ints
        long most = (long) (SHARE * tornado.getMaxGlobalMemory() * 4 / 5);
        var memory =
                new PanagradDevice(
                        device, tornado, Long.getLong(PanagradDevice.MEMORY, most >> 20));
        return new Open(memory, DeviceKernels.register(memory));
    }
}
