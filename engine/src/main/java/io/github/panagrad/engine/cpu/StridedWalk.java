package io.github.panagrad.engine.cpu;

import java.util.Arrays;

/// The order in which an elementwise loop meets its strided operands.
///
/// The result is contiguous; each operand has a stride for each dimension, 0 where it is repeated.
/// Extents of 1 are dropped, and neighbouring dimensions that all operands cross evenly are merged,
/// so same shapes become one dimension, and a row vector over any number of leading dimensions two.
final class StridedWalk {
    /// Runs shorter than this are gathered into a buffer first: a loop costs some 10 ns to enter.
    private static final int SHORT_RUN = 32;

    private final int[] dims;
    private final int[][] strides;
    private final int size;

    private StridedWalk(int[] dims, int[][] strides) {
        this.dims = dims;
        this.strides = strides;
        int product = 1;
        for (int dim : dims) {
            product = Math.multiplyExact(product, dim);
        }
        size = product;
    }

    /// What is done with a stretch of the result that lies in one row of the walk.
    @FunctionalInterface
    interface Run {
        /// Works on `length` elements from `position` in the result and `at[k]` in operand k.
        void run(int position, int length, int[] at);
    }

    /// Plans the walk over a shape; `strides[k]` are those of operand k, one for each dimension.
    static StridedWalk over(int[] shape, int[]... strides) {
        int[] dims = new int[shape.length + 1];
        int[][] kept = new int[strides.length][shape.length + 1];
        int rank = 0;
        for (int d = 0; d < shape.length; d++) {
            if (shape[d] == 1) {
                continue;
            }
            boolean merges = rank > 0;
            for (int k = 0; k < strides.length && merges; k++) {
                merges = kept[k][rank - 1] == strides[k][d] * shape[d];
            }
            if (merges) {
                rank--;
                dims[rank] *= shape[d];
            } else {
                dims[rank] = shape[d];
            }
            for (int k = 0; k < strides.length; k++) {
                kept[k][rank] = strides[k][d];
            }
            rank++;
        }
        if (rank == 0) {
            dims[rank++] = 1;
        }
        for (int k = 0; k < strides.length; k++) {
            kept[k] = Arrays.copyOf(kept[k], rank);
        }
        return new StridedWalk(Arrays.copyOf(dims, rank), kept);
    }

    /// Returns the number of elements.
    int size() {
        return size;
    }

    /// Returns the number of dimensions left, at least 1.
    int rank() {
        return dims.length;
    }

    /// Returns an extent.
    int dim(int d) {
        return dims[d];
    }

    /// Returns the number of elements in the dimensions from d on.
    int sizeFrom(int d) {
        int product = 1;
        for (int i = d; i < dims.length; i++) {
            product *= dims[i];
        }
        return product;
    }

    /// Returns a stride of an operand.
    int stride(int operand, int d) {
        return strides[operand][d];
    }

    /// Returns the stride of an operand in the innermost dimension.
    int innerStride(int operand) {
        return strides[operand][dims.length - 1];
    }

    /// Tells whether an operand lies in the order of the result, without gaps.
    boolean isContiguous(int operand) {
        int dense = 1;
        for (int d = dims.length - 1; d >= 0; d--) {
            if (strides[operand][d] != dense) {
                return false;
            }
            dense *= dims[d];
        }
        return true;
    }

    /// Returns how many elements the whole innermost rows within `limit` elements have, `limit` if
    /// not even one fits.
    int wholeRows(int limit) {
        int row = dims[dims.length - 1];
        return row > 0 && row <= limit ? limit / row * row : limit;
    }

    /// Tells whether an operand is the same in each innermost row, and blocks of this many elements
    /// are made of whole rows.
    boolean isOneRow(int operand, int block) {
        int last = dims.length - 1;
        boolean same = dims[last] > 0 && block % dims[last] == 0;
        for (int d = 0; d < last; d++) {
            same &= strides[operand][d] == 0;
        }
        return same;
    }

    /// Tells whether an operand is one element for all.
    boolean isScalar(int operand) {
        return dims.length == 1 && (strides[operand][0] == 0 || dims[0] == 1);
    }

    /// Tells whether the innermost rows are long, and each operand contiguous or repeated in them.
    boolean hasLongRuns() {
        boolean good = dims.length == 1 || dims[dims.length - 1] >= SHORT_RUN;
        for (int k = 0; k < strides.length && good; k++) {
            int stride = innerStride(k);
            good = stride == 0 || stride == 1;
        }
        return good;
    }

    /// Cuts elements `from` to `to` of the result at the ends of rows.
    void runs(int from, int to, Run body) {
        int last = dims.length - 1;
        int[] index = new int[dims.length];
        int[] at = new int[strides.length];
        seek(from, index, at);
        for (int position = from; position < to; ) {
            int length = Math.min(dims[last] - index[last], to - position);
            body.run(position, length, at);
            position += length;
            advance(length, index, at);
        }
    }

    private void seek(int position, int[] index, int[] at) {
        int rest = position;
        for (int d = dims.length - 1; d >= 0; d--) {
            index[d] = rest % dims[d];
            rest /= dims[d];
            for (int k = 0; k < at.length; k++) {
                at[k] += index[d] * strides[k][d];
            }
        }
    }

    private void advance(int length, int[] index, int[] at) {
        int d = dims.length - 1;
        index[d] += length;
        for (int k = 0; k < at.length; k++) {
            at[k] += length * strides[k][d];
        }
        while (d > 0 && index[d] == dims[d]) {
            for (int k = 0; k < at.length; k++) {
                at[k] += strides[k][d - 1] - dims[d] * strides[k][d];
            }
            index[d] = 0;
            index[--d]++;
        }
    }

    /// Copies elements `from` to `to`, as the walk meets them, of an operand that begins at
    /// `offset`.
    void gather(int operand, float[] src, int offset, int from, int to, float[] dst, int at) {
        int last = dims.length - 1;
        int stride = innerStride(operand);
        int[] index = new int[dims.length];
        int[] starts = new int[strides.length];
        seek(from, index, starts);
        for (int d = at; d < at + to - from; ) {
            int length = Math.min(dims[last] - index[last], at + to - from - d);
            int s = offset + starts[operand];
            if (stride == 1 && length >= 16) {
                System.arraycopy(src, s, dst, d, length);
            } else {
                for (int i = 0; i < length; i++) {
                    dst[d + i] = src[s + i * stride];
                }
            }
            d += length;
            advance(length, index, starts);
        }
    }

    /// Copies elements `from` to `to`, as the walk meets them, of an operand that begins at
    /// `offset`.
    void gather(int operand, byte[] src, int offset, int from, int to, byte[] dst, int at) {
        int stride = innerStride(operand);
        runs(
                from,
                to,
                (position, length, starts) -> {
                    int s = offset + starts[operand];
                    int d = at + position - from;
                    for (int i = 0; i < length; i++) {
                        dst[d + i] = src[s + i * stride];
                    }
                });
    }
}
