package io.github.panagrad.engine.ground;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// The memory behind tensors, shared by all views of it.
///
/// A storage is alive until it is released, by a closing scope or by the backward pass that
/// consumed it. Pins keep it: a recorded node pins what it saved. Reading a released storage
/// throws.
public abstract class Storage {
    private final DType dtype;
    private final long length;
    private int pins;
    private boolean releaseOnUnpin;
    private volatile @Nullable String releasedBy;

    /// Describes `length` elements of `dtype`.
    protected Storage(DType dtype, long length) {
        this.dtype = dtype;
        this.length = length;
    }

    /// Returns the type of the elements.
    public final DType dtype() {
        return dtype;
    }

    /// Returns the number of elements.
    public final long length() {
        return length;
    }

    /// Returns the memory that the elements take.
    public long byteSize() {
        return length * dtype.bytes();
    }

    /// Reads one element as a double; BOOL reads as 0 or 1.
    public abstract double getDouble(long index);

    /// Writes one element, rounded to the type.
    ///
    /// @throws PanagradException if elements of the type cannot be written one by one
    public abstract void setDouble(long index, double value);

    /// Reads one element of an integer type.
    public long getLong(long index) {
        return (long) getDouble(index);
    }

    /// Writes one element of an integer type.
    public void setLong(long index, long value) {
        setDouble(index, value);
    }

    /// Returns the array of an F32 storage; it may be longer than [#length].
    ///
    /// @throws PanagradException if the storage is of another kind or released
    public float[] floats() {
        throw wrongKind("a float array");
    }

    /// Returns the array of an F64 storage; it may be longer than [#length].
    public double[] doubles() {
        throw wrongKind("a double array");
    }

    /// Returns the array of an I32 storage; it may be longer than [#length].
    public int[] ints() {
        throw wrongKind("an int array");
    }

    /// Returns the array of an I64 storage; it may be longer than [#length].
    public long[] longs() {
        throw wrongKind("a long array");
    }

    /// Returns the array of a BOOL storage; it may be longer than [#length].
    public byte[] bytes() {
        throw wrongKind("a byte array");
    }

    /// Returns the segment of a storage of a type that lives in one; see [DType#isSegment].
    public MemorySegment segment() {
        throw wrongKind("a memory segment");
    }

    private PanagradException wrongKind(String wanted) {
        return new PanagradException(
                "storage", dtype.label() + " does not live in " + wanted, "", "", "");
    }

    /// Gives the memory back; called once, when nothing reads it any more.
    protected abstract void free();

    /// Tells whether the memory has been given back.
    public final boolean isReleased() {
        return releasedBy != null;
    }

    /// Returns what released this storage, for the error of whoever still reads it; null if alive.
    public final @Nullable String releasedBy() {
        return releasedBy;
    }

    /// Throws if the memory has been given back.
    public final void requireAlive() {
        if (releasedBy != null) {
            throw new PanagradException(
                    "tensor",
                    "used after release",
                    dtype.label()
                            + " storage of "
                            + length
                            + " elements, released by "
                            + releasedBy,
                    "",
                    "return it from the scope or call keep() on it");
        }
    }

    /// Keeps the memory until the matching [#unpin].
    public final synchronized void pin() {
        requireAlive();
        pins++;
    }

    /// Undoes one [#pin]; the last one frees the memory if its scope has closed already.
    public final void unpin(String by) {
        boolean last;
        synchronized (this) {
            pins--;
            last = pins == 0 && releaseOnUnpin && releasedBy == null;
            if (last) {
                releasedBy = by;
            }
        }
        if (last) {
            free();
        }
    }

    /// Returns the number of pins.
    public final synchronized int pins() {
        return pins;
    }

    /// Frees the memory now if nothing pins it, else with the last unpin.
    public final void release(String by) {
        boolean now;
        synchronized (this) {
            now = pins == 0 && releasedBy == null;
            if (now) {
                releasedBy = by;
            } else {
                releaseOnUnpin = true;
            }
        }
        if (now) {
            free();
        }
    }
}
