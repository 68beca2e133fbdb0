package io.github.panagrad.engine.ground;

import java.util.ArrayDeque;

/// A size-class pool of float arrays.
///
/// The JVM zeroes fresh arrays, which costs as much as an elementwise op; reused ones are handed
/// out as they are. Classes are an eighth of a power of two apart, so at most 12.5 % is wasted. An
/// array that is never given back is simply collected.
public final class Pool {
    private static final Pool FLOATS = new Pool();
    private static final int SMALLEST = 64;

    private final ArrayDeque<float[]>[] classes;
    private long freshBytes;
    private long cachedBytes;

    @SuppressWarnings({"unchecked", "rawtypes"}) // no array of a generic type otherwise
    private Pool() {
        classes = new ArrayDeque[256];
    }

    /// Returns the pool of F32 arrays that all heap storage shares.
    public static Pool floats() {
        return FLOATS;
    }

    /// Hands out an array of at least `length` elements with undefined contents.
    public float[] acquire(int length) {
        int index = classOf(length);
        int size = sizeOf(index);
        synchronized (this) {
            var free = classes[index];
            if (free != null && !free.isEmpty()) {
                cachedBytes -= 4L * size;
                return free.pop();
            }
            freshBytes += 4L * size;
        }
        return new float[size];
    }

    /// Takes back an array that came from [#acquire] and that nothing reads any more.
    public synchronized void release(float[] array) {
        int index = classOf(array.length);
        if (classes[index] == null) {
            classes[index] = new ArrayDeque<>();
        }
        classes[index].push(array);
        cachedBytes += 4L * array.length;
    }

    /// Drops all cached arrays, for instance between two models.
    public synchronized void trim() {
        java.util.Arrays.fill(classes, null);
        cachedBytes = 0;
    }

    /// Returns how many bytes were ever freshly allocated: flat once a training loop is warm.
    public synchronized long freshBytes() {
        return freshBytes;
    }

    /// Returns how many bytes wait for reuse.
    public synchronized long cachedBytes() {
        return cachedBytes;
    }

    private static int classOf(int length) {
        if (length <= SMALLEST) {
            return 0;
        }
        int log = 31 - Integer.numberOfLeadingZeros(length - 1);
        int eighth = (length - 1 >>> (log - 3)) - 8;
        return (log - 6) * 8 + eighth + 1;
    }

    private static int sizeOf(int index) {
        if (index == 0) {
            return SMALLEST;
        }
        int log = (index - 1) / 8 + 6;
        long size = (long) (9 + (index - 1) % 8) << (log - 3);
        return (int) Math.min(size, Integer.MAX_VALUE - 8);
    }
}
