package io.github.panagrad.tornado;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.HeapStorage;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Storage;
import io.github.panagrad.engine.spi.Backend;
import io.github.panagrad.engine.spi.DeviceLimits;
import io.github.panagrad.engine.spi.DeviceStatistics;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.DeviceStorage;
import io.github.panagrad.tornado.device.PanagradDevice;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// GPUs and other devices through TornadoVM: `tornado`, `tornado:1`, ….
///
/// F32, BF16, F16, I32 and truth values lie on the device; tensors of other types stay with the host, where
/// their ops run too. No class of TornadoVM is touched before [#unavailable] has said that it is there.
public final class TornadoBackend implements Backend {
    /// The name that a [Device] refers to.
    public static final String NAME = "tornado";

    private static final String RUNTIME = "tornado.load.runtime.implementation";
    private static final String BAILOUT = "tornado.recover.bailout";
    private static final String PINNING = "tornado.cuda.host.pinning";

    /// TornadoVM's settings that are not as they come; it reads them once, when its classes are loaded.
    private static final Map<String, String> SETTINGS =
            Map.of(
                    // a kernel that does not compile is an error, never run on stale data
                    BAILOUT,
                    "False",
                    // floats as IEEE 754 has them
                    "tornado.opencl.compiler.flags",
                    "-w",
                    "tornado.enable.nativeFunctions",
                    "False",
                    // memory is limited by ours
                    "tornado.device.memory",
                    "1024GB",
                    "tornado.tvm.maxbytecodesize",
                    "65536",
                    // no launch is waited for; memory that is not pinned is read before it returns
                    "tornado.vmflush",
                    "False",
                    PINNING,
                    "False",
                    // lists of events, cleared at each launch; none is kept in one
                    "tornado.max.events",
                    "64");

    /// Found out once, since every op asks; TornadoVM would not look again either.
    private volatile Optional<String> reason = Optional.empty();

    private volatile boolean looked;

    /// Looks for TornadoVM, and sets what it reads as it starts, save what the user has set.
    public TornadoBackend() {
        if (isLoaded()) {
            SETTINGS.forEach(
                    (name, value) -> System.setProperty(name, System.getProperty(name, value)));
        }
    }

    private static boolean isLoaded() {
        return System.getProperty(RUNTIME) != null;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Optional<String> unavailable() {
        if (!looked) {
            reason = lookForReason();
            looked = true;
        }
        return reason;
    }

    private static Optional<String> lookForReason() {
        if (!isLoaded()) {
            return Optional.of(
                    "TornadoVM is not loaded; the runnable jar does it for --device tornado, an"
                            + " application with java @$TORNADOVM_HOME/tornado-argfile");
        }
        if (!"false".equalsIgnoreCase(System.getProperty(BAILOUT))) {
            return Optional.of(
                    "a kernel that does not compile would run on stale data, unnoticed; leave -D"
                            + BAILOUT
                            + " out");
        }
        if (!"false".equalsIgnoreCase(System.getProperty(PINNING))) {
            return Optional.of(
                    "launches are not waited for, so with pinned memory one would be sent the"
                            + " numbers of a later one; leave -D"
                            + PINNING
                            + " out");
        }
        try {
            TornadoSdk.installed();
        } catch (PanagradException unusable) {
            return Optional.of(String.valueOf(unusable.getMessage()));
        }
        return Devices.unavailable();
    }

    @Override
    public List<String> devices() {
        return Devices.describe();
    }

    @Override
    public Storage allocate(Device device, DType dtype, long length) {
        return PanagradDevice.holds(dtype)
                ? Devices.get(device).memory().allocate(dtype, length)
                : HeapStorage.allocate(dtype, length);
    }

    @Override
    public <O> @Nullable Kernel<O> kernel(O op, View[] in) {
        for (View view : in) {
            if (view.storage() instanceof DeviceStorage storage) {
                return Devices.get(storage.device()).kernels().table().find(op, in);
            }
        }
        return null;
    }

    @Override
    public boolean holds(DType dtype) {
        return PanagradDevice.holds(dtype);
    }

    @Override
    public Optional<DeviceStatistics> statistics(Device device) {
        PanagradDevice opened = Devices.get(device).memory();
        return Optional.of(
                new DeviceStatistics(
                        opened.programs().compiled(),
                        opened.programs().plans(),
                        opened.programs().graphs(),
                        opened.programs().launches(),
                        opened.bytesIn(),
                        opened.bytesOut(),
                        opened.usedBytes(),
                        opened.peakBytes()));
    }

    @Override
    public void finish(Device device) {
        Devices.get(device).memory().finish();
    }

    @Override
    public void forgetPeak(Device device) {
        Devices.get(device).memory().forgetPeak();
    }

    @Override
    public Optional<DeviceLimits> limits(Device device) {
        return Optional.of(Devices.get(device).kernels().limits().measure());
    }

    @Override
    public boolean isHost() {
        return false;
    }

    @Override
    public void download(Storage from, Storage to) {
        if (from instanceof DeviceStorage device) {
            Devices.get(device.device()).memory().download(device, to);
        } else {
            copy(from, to);
        }
    }

    @Override
    public void upload(Storage from, Storage to) {
        if (to instanceof DeviceStorage device) {
            Devices.get(device.device()).memory().upload(from, device);
        } else {
            copy(from, to);
        }
    }

    private static void copy(Storage from, Storage to) {
        for (long i = 0; i < from.length(); i++) {
            if (from.dtype().isFloating()) {
                to.setDouble(i, from.getDouble(i));
            } else {
                to.setLong(i, from.getLong(i));
            }
        }
    }
}
