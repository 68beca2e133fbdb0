package io.github.panagrad.engine.spi;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.Storage;
import java.lang.foreign.MemorySegment;

/// What a kernel sees of a tensor: a storage and how to walk it.
public record View(Storage storage, Layout layout) {
    /// Returns the extents.
    public Shape shape() {
        return layout.shape();
    }

    /// Returns the element type.
    public DType dtype() {
        return storage.dtype();
    }

    /// Returns the shape and dtype.
    public Spec spec() {
        return new Spec(shape(), dtype());
    }

    /// Returns the number of elements.
    public int size() {
        return shape().intSize();
    }

    /// Returns the extent of one dimension; negative counts from the end.
    public int dim(int dim) {
        return shape().dim(dim);
    }

    /// Returns the stride of one dimension in elements; negative counts from the end.
    public int stride(int dim) {
        return Math.toIntExact(layout.stride(dim));
    }

    /// Returns the array index of the first element.
    public int offset() {
        return layout.intOffset();
    }

    /// Tells whether the elements follow each other row by row without gaps.
    public boolean isContiguous() {
        return layout.isContiguous();
    }

    /// Returns the array of an F32 view.
    public float[] floats() {
        return storage.floats();
    }

    /// Returns the array of an I32 view.
    public int[] ints() {
        return storage.ints();
    }

    /// Returns the array of a BOOL view.
    public byte[] bytes() {
        return storage.bytes();
    }

    /// Returns the segment of a view whose dtype lives in one; see [DType#isSegment].
    public MemorySegment segment() {
        return storage.segment();
    }

    /// Reads the element with the given row-major number.
    public double get(long logical) {
        return storage.getDouble(layout.position(logical));
    }

    /// Reads the element with the given row-major number as an integer.
    public long getLong(long logical) {
        return storage.getLong(layout.position(logical));
    }

    /// Writes the element with the given row-major number.
    public void set(long logical, double value) {
        storage.setDouble(layout.position(logical), value);
    }

    /// Writes the element with the given row-major number as an integer.
    public void setLong(long logical, long value) {
        storage.setLong(layout.position(logical), value);
    }
}
