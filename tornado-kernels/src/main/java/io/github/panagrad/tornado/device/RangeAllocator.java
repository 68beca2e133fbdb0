package io.github.panagrad.tornado.device;

import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/// Hands out ranges of one large array: the smallest free range that is long enough, and free
/// neighbours join.
///
/// Not safe for several threads.
final class RangeAllocator {
    /// Ranges begin so many elements apart, 128 bytes of floats or ints.
    static final int ALIGNMENT = 32;

    /// The first range's beginning, 128 bytes after that of the array, which begins with a header: only
    /// from aligned addresses do libraries and hardware read several elements at a time.
    static final int FIRST = ALIGNMENT - (int) TornadoNativeArray.ARRAY_HEADER / 4;

    private record Free(int length, int at) implements Comparable<Free> {
        @Override
        public int compareTo(Free other) {
            return length != other.length
                    ? Integer.compare(length, other.length)
                    : Integer.compare(at, other.at);
        }
    }

    private final int capacity;
    private final TreeMap<Integer, Integer> lengths = new TreeMap<>();
    private final TreeSet<Free> bySize = new TreeSet<>();
    private long used;
    private long peak;

    /// @param length the array's
    RangeAllocator(int length) {
        capacity = (length - FIRST) / ALIGNMENT * ALIGNMENT;
        add(FIRST, capacity);
    }

    /// Returns how many elements a range of `length` takes.
    static int padded(int length) {
        return Math.max(ALIGNMENT, (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    }

    /// Takes a range and returns where it begins; −1 if no free range is long enough.
    int take(int length) {
        if (length > capacity) {
            return -1;
        }
        int wanted = padded(length);
        Free free = bySize.ceiling(new Free(wanted, 0));
        if (free == null) {
            return -1;
        }
        remove(free.at, free.length);
        if (free.length > wanted) {
            add(free.at + wanted, free.length - wanted);
        }
        used += wanted;
        peak = Math.max(peak, used);
        return free.at;
    }

    /// Gives a range back that [#take] returned for this length.
    void giveBack(int at, int length) {
        int begin = at;
        int size = padded(length);
        used -= size;
        Map.Entry<Integer, Integer> before = lengths.lowerEntry(at);
        if (before != null && before.getKey() + before.getValue() == at) {
            begin = before.getKey();
            size += before.getValue();
            remove(before.getKey(), before.getValue());
        }
        Integer after = lengths.get(begin + size);
        if (after != null) {
            remove(begin + size, after);
            size += after;
        }
        add(begin, size);
    }

    /// Returns how many elements can be handed out in all.
    int capacity() {
        return capacity;
    }

    /// Returns how many elements are handed out, padding included.
    long used() {
        return used;
    }

    /// Returns the most elements that were ever handed out at a time.
    long peak() {
        return peak;
    }

    /// Lets the peak begin anew with what is handed out now.
    void forgetPeak() {
        peak = used;
    }

    private void add(int at, int length) {
        if (length > 0) {
            lengths.put(at, length);
            bySize.add(new Free(length, at));
        }
    }

    private void remove(int at, int length) {
        lengths.remove(at);
        bySize.remove(new Free(length, at));
    }
}
