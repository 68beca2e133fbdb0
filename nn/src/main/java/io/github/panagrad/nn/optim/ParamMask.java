package io.github.panagrad.nn.optim;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Which entries of one parameter an optimizer may touch. Immutable.
///
/// The others keep their bits: no step, no weight decay, no moments.
public final class ParamMask {
    private final int count;

    /// The live entries, ascending; null if all are, which needs no list.
    private final int @Nullable [] entries;

    private ParamMask(int[] entries) {
        this.count = entries.length;
        this.entries = entries;
    }

    private ParamMask(int count) {
        this.count = count;
        this.entries = null;
    }

    /// Creates a mask from the row-major numbers of the live entries.
    ///
    /// @throws PanagradException if a number is negative or comes twice
    public static ParamMask of(int... entries) {
        int[] sorted = entries.clone();
        Arrays.sort(sorted);
        for (int i = 0; i < sorted.length; i++) {
            if (sorted[i] < 0 || i > 0 && sorted[i] == sorted[i - 1]) {
                throw new PanagradException(
                        "mask",
                        "an entry is negative or comes twice",
                        Integer.toString(sorted[i]),
                        "row-major numbers, each once",
                        "");
            }
        }
        return new ParamMask(sorted);
    }

    /// Creates a mask from a bit for each live entry.
    public static ParamMask of(BitSet live) {
        return new ParamMask(live.stream().toArray());
    }

    /// Creates a mask of the elements that are not zero. Shapes: that of the parameter.
    public static ParamMask of(Tensor live) {
        double[] values = live.toDoubles();
        return new ParamMask(
                IntStream.range(0, values.length).filter(i -> values[i] != 0).toArray());
    }

    /// Creates a mask that leaves nothing live.
    public static ParamMask none() {
        return new ParamMask(new int[0]);
    }

    /// Creates a mask that leaves all of `size` entries live.
    public static ParamMask all(int size) {
        return new ParamMask(size);
    }

    /// Returns a mask of the entries that are live in this one or in another of the same parameter.
    public ParamMask or(ParamMask other) {
        var live = new BitSet();
        for (ParamMask mask : new ParamMask[] {this, other}) {
            for (int entry : mask.entries()) {
                live.set(entry);
            }
        }
        return of(live);
    }

    /// Returns the row-major numbers of the live entries, ascending.
    public int[] entries() {
        return entries == null ? IntStream.range(0, count).toArray() : entries.clone();
    }

    /// Returns how many entries are live.
    public int count() {
        return count;
    }

    /// Checks that all entries are the parameter's.
    void requireWithin(String name, long size) {
        int last = entries == null || count == 0 ? count - 1 : entries[count - 1];
        if (last >= size) {
            throw new PanagradException(
                    "mask of " + name,
                    "an entry is beyond the parameter",
                    Integer.toString(last),
                    "at most " + (size - 1),
                    "");
        }
    }
}
