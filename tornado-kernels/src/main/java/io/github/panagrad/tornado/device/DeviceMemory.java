package io.github.panagrad.tornado.device;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import java.lang.ref.Cleaner;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The memory of one device: which part of its arrays belongs to which tensor.
///
/// F32 tensors lie in the floats; I32 tensors, and truth values as 0 and 1, in the ints; so do BF16
/// and F16 tensors, two elements an int, the first in the lower half. Whatever is allocated is near, where
/// kernels reach it. Where the near floats are full, the oldest tensors, which are weights and an
/// optimizer's state, move to far arrays ([FarArray]) and come near for the ops that use them
/// ([NearOperands]).
final class DeviceMemory {
    private static final Cleaner CLEANER = Cleaner.create();

    private static final int ATTEMPTS = 5;

    /// The part of the near floats that is made free at a time, so that the collector, which is asked
    /// first, is not asked for each tensor.
    private static final int FREED_PART = 16;

    /// Below so many elements a tensor stays where it is: moving it would free nothing.
    private static final int SMALL = 256;

    private final PanagradDevice device;
    private final RangeAllocator floats;
    private final RangeAllocator ints;
    private final List<FarArray> far;

    /// From the oldest to the newest.
    private final Set<Block> blocks = new LinkedHashSet<>();

    /// What must not move now: operands of an op that runs, and what it has allocated since.
    private final Set<Block> pinned = new HashSet<>();

    private boolean pinning;

    DeviceMemory(PanagradDevice device, int floatCapacity, int intCapacity, List<FarArray> far) {
        this.device = device;
        this.far = far;
        floats = new RangeAllocator(floatCapacity);
        ints = new RangeAllocator(intCapacity);
    }

    /// Tells whether tensors of a type lie on the device.
    static boolean holds(DType dtype) {
        return dtype == DType.F32
                || Block.isHalf(dtype)
                || dtype == DType.I32
                || dtype == DType.BOOL;
    }

    private RangeAllocator of(Block block) {
        if (block.dtype != DType.F32) {
            return ints;
        }
        return block.array == Block.NEAR ? floats : far.get(block.array - 1).ranges;
    }

    private RangeAllocator near(DType dtype) {
        return dtype == DType.F32 ? floats : ints;
    }

    /// Allocates near memory; where nothing is free, tensors that nothing refers to any more are
    /// collected first, and then old ones moved.
    ///
    /// @throws PanagradException if there is not enough room even then
    DeviceStorage allocate(DType dtype, long length) {
        int n = (int) Math.min(length, Integer.MAX_VALUE);
        Block block = take(dtype, n);
        for (int attempt = 0; block == null && attempt < ATTEMPTS; attempt++) {
            System.gc();
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            block = take(dtype, n);
            if (block == null && dtype == DType.F32 && !far.isEmpty()) {
                block = takeByMoving(n);
            }
        }
        if (block == null) {
            throw outOfMemory(dtype, length);
        }
        Block own = block;
        var storage = new DeviceStorage(device, dtype, n, own);
        storage.cleanable(CLEANER.register(storage, () -> giveBack(own)));
        return storage;
    }

    private synchronized @Nullable Block take(DType dtype, int length) {
        int at = near(dtype).take(Block.places(dtype, length));
        if (at < 0) {
            return null;
        }
        var block = new Block(dtype, length, at);
        blocks.add(block);
        if (pinning) {
            pinned.add(block);
        }
        return block;
    }

    private synchronized void giveBack(Block block) {
        blocks.remove(block);
        pinned.remove(block);
        of(block).giveBack(block.at, block.places());
    }

    /// Moves the oldest tensors until there is room; never while an op of another thread runs.
    private @Nullable Block takeByMoving(int length) {
        synchronized (device) {
            synchronized (this) {
                Block block = null;
                long freed = 0;
                for (Block old : new ArrayList<>(blocks)) {
                    if (old.length >= SMALL && move(old)) {
                        freed += old.length;
                        block = block == null ? take(DType.F32, length) : block;
                        if (block != null && freed >= floats.capacity() / FREED_PART) {
                            break;
                        }
                    }
                }
                return block;
            }
        }
    }

    /// Moves a tensor to a far array if it may and can.
    private boolean move(Block block) {
        if (block.dtype != DType.F32 || block.array != Block.NEAR || pinned.contains(block)) {
            return false;
        }
        int from = block.at;
        for (int k = 0; k < far.size(); k++) {
            if (far.get(k).take(block, k + 1)) {
                floats.giveBack(from, block.length);
                return true;
            }
        }
        return false;
    }

    /// Moves all tensors that may be moved, so that what is near then lies without gaps.
    synchronized void moveAll() {
        new ArrayList<>(blocks).forEach(this::move);
    }

    /// Keeps these where they are, and what is allocated from now on, until [#unpin].
    synchronized void pin(List<DeviceStorage> operands) {
        operands.forEach(storage -> pinned.add(storage.block()));
        pinning = true;
    }

    /// Lets everything move again.
    synchronized void unpin() {
        pinned.clear();
        pinning = false;
    }

    /// Tells whether there are far arrays.
    boolean hasFar() {
        return !far.isEmpty();
    }

    /// Returns the far array that a block lies in.
    FarArray farArray(Block block) {
        return far.get(block.array - 1);
    }

    private synchronized PanagradException outOfMemory(DType dtype, long length) {
        boolean real = dtype == DType.F32;
        long capacity = near(dtype).capacity();
        long used = near(dtype).used();
        for (FarArray array : far) {
            capacity += real ? array.ranges.capacity() : 0;
            used += real ? array.ranges.used() : 0;
        }
        String largest =
                blocks.stream()
                        .filter(b -> (b.dtype == DType.F32) == real)
                        .sorted(Comparator.comparingInt((Block b) -> b.length).reversed())
                        .limit(5)
                        .map(b -> b.dtype.label() + "[" + b.length + "]")
                        .collect(Collectors.joining(", "));
        return new PanagradException(
                "device " + device.device(),
                "out of memory",
                "%s[%d], %d MB; %d of %d MB are taken, the largest tensors by %s"
                        .formatted(
                                dtype.label(),
                                length,
                                length * dtype.bytes() >> 20,
                                used * 4 >> 20,
                                capacity * 4 >> 20,
                                largest),
                "",
                hint(capacity, far.size()));
    }

    /// Returns how to get by with what a device's arrays can hold.
    static String hint(long capacity, int far) {
        String less = "use smaller batches or shorter sequences";
        return capacity >= (far + 1L) * (PanagradDevice.MOST - 2 * RangeAllocator.ALIGNMENT)
                ? "an array has at most 2^31 - 1 elements, 8 GB of F32, and gradients and activations"
                        + " have to lie in one: "
                        + less
                        + ", train fewer parameters (LoRA), or keep frozen weights in BF16 or F16"
                : "raise it with -D" + PanagradDevice.MEMORY + "=MB, or " + less;
    }

    /// Returns how many floats the array holds that kernels reach.
    long capacity() {
        return floats.capacity();
    }

    /// Returns how many bytes are handed out.
    synchronized long used() {
        long used = floats.used() + ints.used();
        for (FarArray array : far) {
            used += array.ranges.used();
        }
        return 4 * used;
    }

    /// Returns the most bytes that were handed out; of each array the most, if there are several.
    synchronized long peak() {
        long peak = floats.peak() + ints.peak();
        for (FarArray array : far) {
            peak += array.ranges.peak();
        }
        return 4 * peak;
    }

    synchronized void forgetPeak() {
        floats.forgetPeak();
        ints.forgetPeak();
        far.forEach(array -> array.ranges.forgetPeak());
    }

    /// Returns how many bytes of tensors lie in far arrays.
    synchronized long usedFar() {
        long used = 0;
        for (FarArray array : far) {
            used += array.ranges.used();
        }
        return 4 * used;
    }
}
