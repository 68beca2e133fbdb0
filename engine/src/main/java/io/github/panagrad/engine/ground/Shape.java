package io.github.panagrad.engine.ground;

import java.util.Arrays;

/// The extents of a tensor, outermost first. Immutable; the empty shape is a scalar.
public final class Shape {
    /// The shape of a scalar.
    public static final Shape SCALAR = new Shape(new int[0]);

    private final int[] dims;
    private final long size;

    private Shape(int[] dims) {
        this.dims = dims;
        long product = 1;
        for (int d : dims) {
            if (d < 0) {
                throw new ShapeException(
                        "shape", "negative extent", Arrays.toString(dims), "extents >= 0", "");
            }
            product = Math.multiplyExact(product, d);
        }
        this.size = product;
    }

    /// Creates a shape from its extents.
    public static Shape of(int... dims) {
        return dims.length == 0 ? SCALAR : new Shape(dims.clone());
    }

    /// Returns the number of dimensions.
    public int rank() {
        return dims.length;
    }

    /// Returns the extent of one dimension; negative counts from the end.
    public int dim(int dim) {
        return dims[axis(dim)];
    }

    /// Returns the number of elements.
    public long size() {
        return size;
    }

    /// Returns the number of elements as an int; arrays hold no more.
    ///
    /// @throws ShapeException if it exceeds 2³¹−1
    public int intSize() {
        if (size > Integer.MAX_VALUE) {
            throw new ShapeException(
                    "shape", "too many elements for one array", toString(), "at most 2^31-1", "");
        }
        return (int) size;
    }

    /// Returns a copy of the extents.
    public int[] toArray() {
        return dims.clone();
    }

    /// Turns a dimension that may be negative into its index.
    ///
    /// @throws ShapeException if there is no such dimension
    public int axis(int dim) {
        int axis = dim < 0 ? dim + dims.length : dim;
        if (axis < 0 || axis >= dims.length) {
            throw new ShapeException(
                    "dim",
                    "no such dimension in " + this,
                    Integer.toString(dim),
                    dims.length == 0
                            ? "a tensor with at least one dimension"
                            : "-" + dims.length + " to " + (dims.length - 1),
                    "");
        }
        return axis;
    }

    /// Returns the shape with one extent replaced.
    public Shape with(int dim, int extent) {
        int[] copy = dims.clone();
        copy[axis(dim)] = extent;
        return new Shape(copy);
    }

    /// Returns the shape without one dimension.
    public Shape without(int dim) {
        int axis = axis(dim);
        int[] rest = new int[dims.length - 1];
        System.arraycopy(dims, 0, rest, 0, axis);
        System.arraycopy(dims, axis + 1, rest, axis, rest.length - axis);
        return of(rest);
    }

    /// Returns the shape with a dimension inserted before `index` (0 to rank).
    public Shape insert(int index, int extent) {
        int[] more = new int[dims.length + 1];
        System.arraycopy(dims, 0, more, 0, index);
        more[index] = extent;
        System.arraycopy(dims, index, more, index + 1, dims.length - index);
        return of(more);
    }

    /// Returns the product of the extents from `from` (inclusive) to `to` (exclusive).
    public int product(int from, int to) {
        int product = 1;
        for (int i = from; i < to; i++) {
            product = Math.multiplyExact(product, dims[i]);
        }
        return product;
    }

    /// Returns the row-major strides in elements.
    public long[] rowMajor() {
        long[] strides = new long[dims.length];
        long stride = 1;
        for (int i = dims.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= dims[i];
        }
        return strides;
    }

    /// Returns the shape that two operands broadcast to by NumPy's rules.
    ///
    /// @param op named in the error
    /// @throws ShapeException if some extents differ and neither is 1
    public static Shape broadcast(String op, Shape a, Shape b) {
        if (a.equals(b)) {
            return a;
        }
        int rank = Math.max(a.rank(), b.rank());
        int[] dims = new int[rank];
        for (int i = 1; i <= rank; i++) {
            int x = i <= a.rank() ? a.dims[a.rank() - i] : 1;
            int y = i <= b.rank() ? b.dims[b.rank() - i] : 1;
            if (x != y && x != 1 && y != 1) {
                throw new ShapeException(
                        op,
                        "shapes do not broadcast",
                        a + " and " + b,
                        "extents that are equal or 1, counted from the last",
                        "");
            }
            dims[rank - i] = x == 1 ? y : x;
        }
        return of(dims);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape s && Arrays.equals(dims, s.dims);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(dims);
    }

    /// Returns the extents as `[2,3]`.
    @Override
    public String toString() {
        var text = new StringBuilder("[");
        for (int i = 0; i < dims.length; i++) {
            text.append(i == 0 ? "" : ",").append(dims[i]);
        }
        return text.append(']').toString();
    }
}
