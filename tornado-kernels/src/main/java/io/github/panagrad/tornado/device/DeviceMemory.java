package io.github.panagrad.tornado.device;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import java.lang.ref.Cleaner;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The memory of one device: which part of its two arrays belongs to which tensor.
///
/// F32 tensors lie in the floats; I32 tensors, and truth values as 0 and 1, in the ints; so do BF16
/// tensors, two elements an int, the first in the lower half.
final class DeviceMemory {
    private static final Cleaner CLEANER = Cleaner.create();

    private final RangeAllocator floats;
    private final RangeAllocator ints;
    private final Set<Block> blocks = new LinkedHashSet<>();

    DeviceMemory(int floatCapacity, int intCapacity) {
        floats = new RangeAllocator(floatCapacity);
        ints = new RangeAllocator(intCapacity);
    }

    /// A part of one of the arrays that a storage holds until it is freed or collected.
    private final class Block implements Runnable {
        final DType dtype;
        final int at;
        final int length;

        Block(DType dtype, int at, int length) {
            this.dtype = dtype;
            this.at = at;
            this.length = length;
        }

        @Override
        public void run() {
            synchronized (DeviceMemory.this) {
                blocks.remove(this);
                of(dtype).giveBack(at, places(dtype, length));
            }
        }
    }

    /// Tells whether tensors of a type lie on the device.
    static boolean holds(DType dtype) {
        return dtype == DType.F32
                || dtype == DType.BF16
                || dtype == DType.I32
                || dtype == DType.BOOL;
    }

    /// Returns how many elements of its array a tensor takes.
    private static int places(DType dtype, int length) {
        return dtype == DType.BF16 ? (int) ((length + 1L) / 2) : length;
    }

    private RangeAllocator of(DType dtype) {
        return dtype == DType.F32 ? floats : ints;
    }

    /// Allocates; where nothing is free, tensors that nothing refers to any more are collected first.
    ///
    /// @throws PanagradException if there is not enough room even then
    DeviceStorage allocate(PanagradDevice device, DType dtype, long length) {
        int n = (int) Math.min(length, Integer.MAX_VALUE);
        Block block = take(dtype, n);
        for (int attempt = 0; block == null && attempt < 5; attempt++) {
            System.gc();
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            block = take(dtype, n);
        }
        if (block == null) {
            throw outOfMemory(device, dtype, length);
        }
        int at = dtype == DType.BF16 ? 2 * block.at : block.at;
        var storage = new DeviceStorage(device, dtype, n, at);
        storage.cleanable(CLEANER.register(storage, block));
        return storage;
    }

    private synchronized @Nullable Block take(DType dtype, int length) {
        int at = of(dtype).take(places(dtype, length));
        if (at < 0) {
            return null;
        }
        var block = new Block(dtype, at, length);
        blocks.add(block);
        return block;
    }

    private synchronized PanagradException outOfMemory(
            PanagradDevice device, DType dtype, long length) {
        RangeAllocator array = of(dtype);
        String largest =
                blocks.stream()
                        .filter(b -> of(b.dtype) == array)
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
                                array.used() * 4 >> 20,
                                (long) array.capacity() * 4 >> 20,
                                largest),
                "",
                hint(array.capacity()));
    }

    /// Returns how to get by with what an array of a capacity can hold.
    static String hint(int capacity) {
        String less = "use smaller batches or shorter sequences";
        return RangeAllocator.padded(capacity) >= RangeAllocator.padded(PanagradDevice.MOST)
                ? "one array of at most 2^31 - 1 elements, 8 GB of F32, holds all tensors of a kind: "
                        + less
                        + ", train fewer parameters (LoRA), or keep frozen weights in BF16"
                : "raise it with -D" + PanagradDevice.MEMORY + "=MB, or " + less;
    }

    /// Returns how many bytes are handed out.
    synchronized long used() {
        return 4 * (floats.used() + ints.used());
    }

    /// Returns the most bytes that were handed out.
    synchronized long peak() {
        return 4 * (floats.peak() + ints.peak());
    }
}
