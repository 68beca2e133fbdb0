package io.github.panagrad.engine.ground;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// How a shape lies in a storage: strides and offset, in elements. Immutable.
public final class Layout {
    private final Shape shape;
    private final long[] strides;
    private final long offset;
    private final boolean contiguous;

    private Layout(Shape shape, long[] strides, long offset) {
        this.shape = shape;
        this.strides = strides;
        this.offset = offset;
        this.contiguous = isRowMajor(shape, strides);
    }

    /// Lays a shape out row by row from element 0.
    public static Layout contiguous(Shape shape) {
        return new Layout(shape, shape.rowMajor(), 0);
    }

    /// Lays a shape out with the given strides and offset.
    public static Layout of(Shape shape, long[] strides, long offset) {
        return new Layout(shape, strides.clone(), offset);
    }

    private static boolean isRowMajor(Shape shape, long[] strides) {
        long expected = 1;
        for (int i = shape.rank() - 1; i >= 0; i--) {
            int d = shape.dim(i);
            if (d != 1 && strides[i] != expected) {
                return shape.size() == 0;
            }
            expected *= d;
        }
        return true;
    }

    /// Returns the extents.
    public Shape shape() {
        return shape;
    }

    /// Returns the stride of one dimension in elements; negative dimensions count from the end.
    public long stride(int dim) {
        return strides[shape.axis(dim)];
    }

    /// Returns the position of the first element.
    public long offset() {
        return offset;
    }

    /// Returns the position of the first element as an array index.
    public int intOffset() {
        return Math.toIntExact(offset);
    }

    /// Tells whether the elements follow each other row by row without gaps.
    public boolean isContiguous() {
        return contiguous;
    }

    /// Reorders the dimensions: dimension i of the result is dimension `order[i]` of this one.
    public Layout permute(int... order) {
        int[] dims = new int[order.length];
        long[] moved = new long[order.length];
        for (int i = 0; i < order.length; i++) {
            dims[i] = shape.dim(order[i]);
            moved[i] = strides[shape.axis(order[i])];
        }
        return new Layout(Shape.of(dims), moved, offset);
    }

    /// Keeps `length` elements of one dimension from `start`, every `step`-th.
    public Layout slice(int dim, int start, int length, int step) {
        int axis = shape.axis(dim);
        long[] moved = strides.clone();
        moved[axis] *= step;
        return new Layout(shape.with(axis, length), moved, offset + start * strides[axis]);
    }

    /// Repeats extents of 1, and adds leading dimensions, with stride 0.
    public Layout expand(Shape target) {
        long[] moved = new long[target.rank()];
        int lead = target.rank() - shape.rank();
        for (int i = lead; i < moved.length; i++) {
            moved[i] = shape.dim(i - lead) == 1 && target.dim(i) != 1 ? 0 : strides[i - lead];
        }
        return new Layout(target, moved, offset);
    }

    /// Keeps the elements whose indices along two dimensions are equal; the second one goes.
    public Layout diagonal(int first, int second) {
        long[] moved = new long[strides.length - 1];
        for (int i = 0; i < moved.length; i++) {
            moved[i] = strides[i < second ? i : i + 1];
        }
        moved[first] += strides[second];
        return new Layout(shape.without(second), moved, offset);
    }

    /// Replaces one dimension by windows that start every `step` elements, and adds a last
    /// dimension of the elements in a window, `dilation` apart.
    public Layout unfold(int dim, int windows, int step, int size, int dilation) {
        int axis = shape.axis(dim);
        long[] moved = Arrays.copyOf(strides, strides.length + 1);
        moved[strides.length] = strides[axis] * dilation;
        moved[axis] *= step;
        return new Layout(shape.with(axis, windows).insert(strides.length, size), moved, offset);
    }

    /// Gives the same elements another shape without a copy, or returns null where that needs one.
    public @Nullable Layout reshape(Shape target) {
        if (contiguous) {
            return new Layout(target, target.rowMajor(), offset);
        }
        long[] moved = new long[target.rank()];
        int from = 0;
        int to = 0;
        while (from < shape.rank() || to < target.rank()) {
            int fromEnd = from;
            int toEnd = to;
            long have = fromEnd < shape.rank() ? shape.dim(fromEnd++) : 1;
            long want = toEnd < target.rank() ? target.dim(toEnd++) : 1;
            while (have != want) {
                if (have < want) {
                    have *= shape.dim(fromEnd++);
                } else {
                    want *= target.dim(toEnd++);
                }
            }
            long stride = 1;
            long expected = -1;
            for (int i = fromEnd - 1; i >= from; i--) {
                if (shape.dim(i) == 1) {
                    continue;
                }
                if (expected < 0) {
                    stride = strides[i];
                } else if (strides[i] != expected) {
                    return null;
                }
                expected = strides[i] * shape.dim(i);
            }
            for (int i = toEnd - 1; i >= to; i--) {
                moved[i] = stride;
                stride *= target.dim(i);
            }
            from = fromEnd;
            to = toEnd;
        }
        return new Layout(target, moved, offset);
    }

    /// Returns the storage position of the element with the given row-major number.
    public long position(long logical) {
        if (contiguous) {
            return offset + logical;
        }
        long at = offset;
        long rest = logical;
        for (int i = shape.rank() - 1; i >= 0; i--) {
            int d = shape.dim(i);
            at += rest % d * strides[i];
            rest /= d;
        }
        return at;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Layout l
                && shape.equals(l.shape)
                && offset == l.offset
                && Arrays.equals(strides, l.strides);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * shape.hashCode() + Arrays.hashCode(strides)) + Long.hashCode(offset);
    }

    @Override
    public String toString() {
        return shape + (contiguous ? "" : " strides " + Arrays.toString(strides)) + "@" + offset;
    }
}
