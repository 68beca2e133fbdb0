package io.github.panagrad.tornado.device;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.Half;
import io.github.panagrad.engine.ground.HeapStorage;
import io.github.panagrad.engine.ground.Storage;
import io.github.panagrad.engine.spi.Kernel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import uk.ac.manchester.tornado.api.DataRange;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/// One device of TornadoVM as Panagrad uses it: memory that stays on it, programs, and copies.
public final class PanagradDevice {
    /// The system property that sets the memory that tensors may take, in MB.
    public static final String MEMORY = "panagrad.tornado.memory";

    /// The system property that sets the most floats of an array, for tests of far arrays.
    static final String ARRAY_ELEMENTS = "panagrad.tornado.arrayElements";

    /// The system property by which all that can is moved to far arrays before each op, for tests.
    static final String CROWDED = "panagrad.tornado.crowded";

    /// The most elements of an array, with room for a header; whole ranges of the allocator.
    static final int MOST = Integer.MAX_VALUE - 127;

    /// One int for so many floats: tokens, positions, masks, and frozen weights in BF16.
    private static final int FLOATS_PER_INT = 4;

    private static final int MOST_FAR_ARRAYS = 3;

    /// What an allocation has room for beside the elements: a header, and the note of faults.
    private static final int BESIDES = 64;

    private final Device device;
    private final boolean cuda;
    private final FloatArray floats;
    private final IntArray ints;
    private final DeviceMemory memory;
    private final Programs programs;
    private final Staging staging;
    private final Faults faults;
    private final boolean crowded = Boolean.getBoolean(CROWDED);
    private long bytesIn;
    private long bytesOut;

    /// Opens a device.
    ///
    /// @param megabytes how much of its memory tensors may take
    public PanagradDevice(Device device, TornadoDevice tornado, long megabytes) {
        this(device, tornado, megabytes, Integer.getInteger(ARRAY_ELEMENTS, MOST));
    }

    /// @param arrayElements how many floats an array may have
    PanagradDevice(Device device, TornadoDevice tornado, long megabytes, int arrayElements) {
        this.device = device;
        cuda = isCuda(tornado);
        long all = megabytes * (1 << 20) / 4;
        int largest = (int) Math.min(MOST, tornado.getMaxAllocMemory() / 4 - BESIDES);
        int most = Math.min(largest, arrayElements);
        int floatCount = (int) Math.min(most, all);
        int intCount = Math.clamp(all / FLOATS_PER_INT, 1 << 20, largest);
        floats = FloatArray.fromSegmentShallow(Mirror.untouched(floatCount));
        ints = IntArray.fromSegmentShallow(Mirror.untouched(intCount + Faults.LENGTH));
        faults = new Faults(this, intCount);
        programs = new Programs(tornado, floats, ints);
        staging = new Staging(programs);
        var far = new ArrayList<FarArray>();
        long rest = all - floatCount;
        while (rest >= 2 * RangeAllocator.ALIGNMENT && far.size() < MOST_FAR_ARRAYS) {
            int count = (int) Math.min(most, rest);
            far.add(new FarArray(programs, far.size() + 1, count));
            rest -= count;
        }
        memory = new DeviceMemory(this, floatCount, intCount, far);
    }

    /// Returns the device's name among those of the process.
    public Device device() {
        return device;
    }

    /// Tells whether TornadoVM drives a device through CUDA.
    public static boolean isCuda(TornadoDevice tornado) {
        return tornado.getTornadoVMBackend() == TornadoVMBackendType.CUDA;
    }

    /// Tells whether TornadoVM drives the device through CUDA.
    public boolean isCuda() {
        return cuda;
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

    /// Returns a kernel as it runs on this device: handed its operands where it can reach them.
    public <O> Kernel<O> ready(Kernel<O> kernel) {
        return memory.hasFar() ? new NearOperands<>(this, kernel) : kernel;
    }

    DeviceMemory memory() {
        return memory;
    }

    /// Moves what can be moved, if this is a test of that.
    void beforeKernel() {
        if (crowded) {
            memory.moveAll();
        }
    }

    /// Copies n floats of a far storage, from an index on, to the beginning of a near one.
    synchronized void load(DeviceStorage far, int index, DeviceStorage near, int n) {
        memory.farArray(far.block()).load(far.block().at + index, near.at(), n);
    }

    /// Copies n floats from the beginning of a near storage to a far one, from an index on.
    synchronized void store(DeviceStorage near, DeviceStorage far, int index, int n) {
        memory.farArray(far.block()).store(near.at(), far.block().at + index, n);
    }

    /// Allocates near memory of the device with undefined contents.
    public DeviceStorage allocate(DType dtype, long length) {
        return memory.allocate(dtype, length);
    }

    /// Returns how many floats the array holds that kernels reach.
    public long capacity() {
        return memory.capacity();
    }

    /// Returns how many bytes tensors take now.
    public long usedBytes() {
        return memory.used();
    }

    /// Returns how many bytes of tensors lie where kernels do not reach them.
    public long farBytes() {
        return memory.usedFar();
    }

    /// Returns the most bytes that tensors ever took at a time.
    public long peakBytes() {
        return memory.peak();
    }

    /// Lets the peak begin anew with what is taken now.
    public void forgetPeak() {
        memory.forgetPeak();
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
        if (to.isFar()) {
            uploadFar(from, to, 0, n);
            return;
        }
        bytesIn +=
                switch (to.dtype()) {
                    case F32 -> staging.floats(from.floats(), to.at(), n);
                    case I32 -> staging.ints(from.ints(), to.at(), n);
                    case BF16, F16 -> staging.halves(from.segment(), to.at(), n);
                    default -> staging.truths(from.bytes(), to.at(), n);
                };
    }

    /// Copies n floats to a far storage, from an index on.
    private void uploadFar(Storage from, DeviceStorage to, int index, int n) {
        DeviceStorage near = allocate(DType.F32, n);
        upload(from, near);
        store(near, to, index, n);
        near.release("upload");
    }

    /// Copies to heap storage.
    public synchronized void download(DeviceStorage from, Storage to) {
        int n = Math.toIntExact(from.length());
        if (n == 0) {
            return;
        }
        if (Block.isHalf(from.dtype())) {
            downloadHalves(from.at(), n, to.segment());
            return;
        }
        if (from.dtype() == DType.F32) {
            FloatArray array = fetchFloats(from, 0, n);
            float[] target = to.floats();
            for (int i = 0; i < n; i++) {
                target[i] = array.get(from.block().at + i);
            }
            return;
        }
        fetch(from.dtype(), from.at(), n);
        switch (from.dtype()) {
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
        fetch(DType.I32, at / 2, (at + n + 1) / 2 - at / 2);
        for (int i = 0; i < n; i++) {
            to.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i, half(at + i));
        }
    }

    private short half(int at) {
        return (short) (ints.get(at / 2) >> 16 * (at % 2));
    }

    /// Brings the host's copy of some floats up to date and returns the array they lie in.
    private FloatArray fetchFloats(DeviceStorage from, int index, int n) {
        if (!from.isFar()) {
            fetch(DType.F32, from.at() + index, n);
            return floats;
        }
        bytesOut += 4L * n;
        lookForFault();
        return memory.farArray(from.block()).fetch(from.block().at + index, n);
    }

    /// Brings the host's copy of a range up to date, and looks whether a kernel noted a fault.
    private void fetch(DType dtype, int at, int n) {
        TornadoNativeArray array = dtype == DType.F32 ? floats : ints;
        programs.toHost(new DataRange(array).withOffset(at).withSize(n));
        bytesOut += 4L * n;
        lookForFault();
    }

    /// Waits until all is done that was launched.
    public void finish() {
        programs.toHost(new DataRange(ints).withOffset(0).withSize(1));
    }

    private void lookForFault() {
        int note = faults.unread();
        if (note >= 0) {
            programs.toHost(new DataRange(ints).withOffset(note).withSize(Faults.LENGTH));
            faults.check(ints);
        }
    }

    synchronized double read(DeviceStorage from, int index) {
        if (from.dtype() == DType.F32) {
            return fetchFloats(from, index, 1).get(from.block().at + index);
        }
        int at = from.at() + index;
        if (Block.isHalf(from.dtype())) {
            fetch(DType.I32, at / 2, 1);
            short half = half(at);
            return from.dtype() == DType.F16
                    ? Float.float16ToFloat(half)
                    : Float.intBitsToFloat(half << 16);
        }
        fetch(from.dtype(), at, 1);
        return ints.get(at);
    }

    synchronized void write(DeviceStorage to, int index, double value) {
        float[] real = {(float) value};
        if (to.isFar()) {
            uploadFar(HeapStorage.of(real), to, index, 1);
        } else if (to.dtype() == DType.F32) {
            bytesIn += staging.floats(real, to.at() + index, 1);
        } else if (Block.isHalf(to.dtype())) {
            writeHalf(to, index, real[0]);
        } else {
            writeInt(to.at() + index, (int) value);
        }
    }

    /// Replaces one half of an int and keeps the other.
    private void writeHalf(DeviceStorage to, int index, float value) {
        int at = to.at() + index;
        fetch(DType.I32, at / 2, 1);
        int half = to.dtype() == DType.F16 ? Float.floatToFloat16(value) : Half.floatToBf16(value);
        int shift = 16 * (at % 2);
        int other = ints.get(at / 2) & ~(0xffff << shift);
        writeInt(at / 2, other | ((half & 0xffff) << shift));
    }

    void writeInt(int at, int value) {
        bytesIn += staging.ints(new int[] {value}, at, 1);
    }
}
