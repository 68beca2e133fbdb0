package io.github.panagrad.tornado.device;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Storage;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import uk.ac.manchester.tornado.api.DataRange;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/// One device of TornadoVM as Panagrad uses it: memory that stays on it, programs, and copies.
///
/// TornadoVM wants an array of the host's for every one of the device's. Ours are mapped to a file
/// that holds nothing and is already deleted: only what is copied back takes memory.
public final class PanagradDevice {
    /// The system property that sets the memory that tensors may take, in MB.
    public static final String MEMORY = "panagrad.tornado.memory";

    /// The most elements of an array, with room for a header; whole ranges of the allocator.
    static final int MOST = Integer.MAX_VALUE - 127;

    /// One int for so many floats: tokens, positions, masks, and frozen weights in BF16.
    private static final int FLOATS_PER_INT = 4;

    private final Device device;
    private final FloatArray floats;
    private final IntArray ints;
    private final DeviceMemory memory;
    private final Programs programs;
    private final Staging staging;
    private final Faults faults;
    private long bytesIn;
    private long bytesOut;

    /// Opens a device.
    ///
    /// @param megabytes how much of its memory tensors may take
    public PanagradDevice(Device device, TornadoDevice tornado, long megabytes) {
        this.device = device;
        int floatCount = (int) Math.min(MOST, megabytes * (1 << 20) / 4);
        int intCount = Math.max(1 << 20, floatCount / FLOATS_PER_INT);
        floats = FloatArray.fromSegmentShallow(untouched(floatCount));
        ints = IntArray.fromSegmentShallow(untouched(intCount + Faults.LENGTH));
        faults = new Faults(this, intCount);
        memory = new DeviceMemory(floatCount, intCount);
        programs = new Programs(tornado, floats, ints);
        staging = new Staging(programs);
    }

    /// Returns host memory for so many elements and a header, none of which exists until touched.
    private static MemorySegment untouched(int elements) {
        long bytes = TornadoNativeArray.ARRAY_HEADER + 4L * elements;
        try {
            Path file = Files.createTempFile("panagrad-device", ".mem");
            try (FileChannel channel =
                    FileChannel.open(
                            file,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE,
                            StandardOpenOption.DELETE_ON_CLOSE)) {
                return channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, Arena.global());
            }
        } catch (IOException e) {
            throw new PanagradException(
                    "tornado: no place for the device's mirror, a sparse file of "
                            + bytes
                            + " bytes: "
                            + e.getMessage(),
                    e);
        }
    }

    /// Returns the device's name among those of the process.
    public Device device() {
        return device;
    }

    /// Returns the programs, to declare more of them before the first launch.
    public Programs programs() {
        return programs;
    }

    /// Returns what kernels found wrong with indices.
    public Faults faults() {
        return faults;
    }

    /// Tells whether tensors of a type lie on the device.
    public static boolean holds(DType dtype) {
        return DeviceMemory.holds(dtype);
    }

    /// Allocates memory of the device with undefined contents.
    public DeviceStorage allocate(DType dtype, long length) {
        return memory.allocate(this, dtype, length);
    }

    /// Returns how many bytes tensors take now.
    public long usedBytes() {
        return memory.used();
    }

    /// Returns the most bytes that tensors ever took at a time.
    public long peakBytes() {
        return memory.peak();
    }

    /// Returns how many bytes of tensors went to the device so far, as they were sent.
    public synchronized long bytesIn() {
        return bytesIn;
    }

    /// Returns how many bytes of tensors came back from the device so far.
    public synchronized long bytesOut() {
        return bytesOut;
    }

    /// Copies from heap storage.
    public synchronized void upload(Storage from, DeviceStorage to) {
        int n = Math.toIntExact(to.length());
        bytesIn +=
                switch (to.dtype()) {
                    case F32 -> staging.floats(from.floats(), to.at(), n);
                    case I32 -> staging.ints(from.ints(), to.at(), n);
                    case BF16 -> staging.halves(from.segment(), to.at(), n);
                    default -> staging.truths(from.bytes(), to.at(), n);
                };
    }

    /// Copies to heap storage.
    public synchronized void download(DeviceStorage from, Storage to) {
        int n = Math.toIntExact(from.length());
        if (n == 0) {
            return;
        }
        if (from.dtype() == DType.BF16) {
            downloadHalves(from.at(), n, to.segment());
            return;
        }
        fetch(from.dtype(), from.at(), n);
        switch (from.dtype()) {
            case F32 -> {
                float[] target = to.floats();
                for (int i = 0; i < n; i++) {
                    target[i] = floats.get(from.at() + i);
                }
            }
            case I32 -> {
                int[] target = to.ints();
                for (int i = 0; i < n; i++) {
                    target[i] = ints.get(from.at() + i);
                }
            }
            default -> {
                byte[] target = to.bytes();
                for (int i = 0; i < n; i++) {
                    target[i] = (byte) ints.get(from.at() + i);
                }
            }
        }
    }

    private void downloadHalves(int at, int n, MemorySegment to) {
        fetch(DType.BF16, at / 2, (at + n + 1) / 2 - at / 2);
        for (int i = 0; i < n; i++) {
            to.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i, half(at + i));
        }
    }

    private short half(int at) {
        return (short) (ints.get(at / 2) >> 16 * (at % 2));
    }

    /// Brings the host's copy of a range up to date, and looks whether a kernel noted a fault.
    private void fetch(DType dtype, int at, int n) {
        TornadoNativeArray array = dtype == DType.F32 ? floats : ints;
        TornadoExecutionResult result = programs.memory();
        result.transferToHost(new DataRange(array).withOffset(at).withSize(n));
        bytesOut += 4L * n;
        int note = faults.unread();
        if (note >= 0) {
            result.transferToHost(new DataRange(ints).withOffset(note).withSize(Faults.LENGTH));
            faults.check(ints);
        }
    }

    synchronized double read(DType dtype, int at) {
        if (dtype == DType.BF16) {
            fetch(dtype, at / 2, 1);
            return Float.intBitsToFloat(half(at) << 16);
        }
        fetch(dtype, at, 1);
        return dtype == DType.F32 ? floats.get(at) : ints.get(at);
    }

    synchronized void write(DType dtype, int at, double value) {
        bytesIn +=
                dtype == DType.F32
                        ? staging.floats(new float[] {(float) value}, at, 1)
                        : staging.ints(new int[] {(int) value}, at, 1);
    }
}
