package io.github.panagrad.tornado.device;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.IntConsumer;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Copies from the host to places in a device's arrays.
///
/// TornadoVM uploads whole arrays only. So what is to be copied goes, in pieces, through an array of
/// a fixed size, which a kernel then spreads; large pieces for weights, small ones for tokens.
final class Staging {
    private static final int LOCAL = 64;
    private static final int[] SIZES = {1 << 10, 1 << 15, 1 << 20};

    private final FloatArray[] floats = new FloatArray[SIZES.length];
    private final IntArray[] ints = new IntArray[SIZES.length];
    private final Program[] floatPrograms = new Program[SIZES.length];
    private final Program[] intPrograms = new Program[SIZES.length];

    Staging(Programs programs) {
        for (int i = 0; i < SIZES.length; i++) {
            floats[i] = new FloatArray(SIZES[i]);
            ints[i] = new IntArray(SIZES[i]);
            floatPrograms[i] = programs.add("uploadFloats" + i, LOCAL, floats[i], Staging::kFloats);
            intPrograms[i] = programs.add("uploadInts" + i, LOCAL, ints[i], Staging::kInts);
        }
    }

    /// The smallest size that takes all, or the largest.
    private static int sizeFor(int n) {
        int size = 0;
        while (size < SIZES.length - 1 && SIZES[size] < n) {
            size++;
        }
        return size;
    }

    /// Copies n floats and returns how many bytes were sent.
    long floats(float[] from, int at, int n) {
        int size = sizeFor(n);
        return pieces(
                n,
                size,
                floatPrograms[size],
                at,
                done -> {
                    int count = Math.min(SIZES[size], n - done);
                    for (int i = 0; i < count; i++) {
                        floats[size].set(i, from[done + i]);
                    }
                });
    }

    /// Copies n ints and returns how many bytes were sent.
    long ints(int[] from, int at, int n) {
        int size = sizeFor(n);
        return pieces(
                n,
                size,
                intPrograms[size],
                at,
                done -> {
                    int count = Math.min(SIZES[size], n - done);
                    for (int i = 0; i < count; i++) {
                        ints[size].set(i, from[done + i]);
                    }
                });
    }

    /// Copies n BF16 or F16 numbers to the halves of ints, from an even place on, and returns how many bytes
    /// were sent.
    long halves(MemorySegment from, int at, int n) {
        int[] pairs = new int[(int) ((n + 1L) / 2)];
        for (int i = 0; i < n; i++) {
            int half = from.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i) & 0xffff;
            pairs[i / 2] |= half << 16 * (i % 2);
        }
        return ints(pairs, at / 2, pairs.length);
    }

    /// Copies n truth values and returns how many bytes were sent.
    long truths(byte[] from, int at, int n) {
        int[] values = new int[n];
        for (int i = 0; i < n; i++) {
            values[i] = from[i];
        }
        return ints(values, at, n);
    }

    private static long pieces(int n, int size, Program program, int at, IntConsumer fill) {
        long sent = 0;
        for (int done = 0; done < n; done += SIZES[size]) {
            int count = Math.min(SIZES[size], n - done);
            fill.accept(done);
            program.launch(count, new int[] {at + done, count});
            sent += 4L * SIZES[size];
        }
        return sent;
    }

    private static void kFloats(
            KernelContext context, FloatArray floats, IntArray launch, FloatArray from) {
        int i = context.globalIdx;
        if (i < launch.get(1)) {
            floats.set(launch.get(0) + i, from.get(i));
        }
    }

    private static void kInts(
            KernelContext context, IntArray ints, IntArray launch, IntArray from) {
        int i = context.globalIdx;
        if (i < launch.get(1)) {
            ints.set(launch.get(0) + i, from.get(i));
        }
    }
}
