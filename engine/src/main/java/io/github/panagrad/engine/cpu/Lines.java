package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.spi.View;

/// What kernels along one dimension see of an operand: [outer, n, inner], and on request a copy of
/// it with that dimension last.
record Lines(int outer, int n, int inner) {
    /// Splits a shape at a dimension.
    static Lines of(Shape shape, int dim) {
        return new Lines(
                shape.product(0, dim), shape.dim(dim), shape.product(dim + 1, shape.rank()));
    }

    /// Returns the number of lines.
    int count() {
        return outer * inner;
    }

    /// What reads contiguous lines.
    @FunctionalInterface
    interface Body {
        /// Works on lines that follow each other from `offset` on.
        void run(float[] x, int offset);
    }

    /// Hands the lines of a contiguous operand to the body, each contiguous, through a copy if need
    /// be.
    void contiguous(View x, Body body) {
        if (inner == 1) {
            body.run(x.floats(), x.offset());
            return;
        }
        float[] copy = Pool.floats().acquire(outer * n * inner);
        var walk = StridedWalk.over(new int[] {outer, inner, n}, new int[] {n * inner, 1, inner});
        StridedCopy.copy(walk, x.floats(), x.offset(), copy, 0);
        body.run(copy, 0);
        Pool.floats().release(copy);
    }

    /// Returns the walk over a shape with operands of these layouts, each repeated to the shape.
    static StridedWalk walk(Shape shape, View... operands) {
        int[][] strides = new int[operands.length][shape.rank()];
        for (int k = 0; k < operands.length; k++) {
            Layout layout = operands[k].layout().expand(shape);
            for (int d = 0; d < shape.rank(); d++) {
                strides[k][d] = Math.toIntExact(layout.stride(d));
            }
        }
        return StridedWalk.over(shape.toArray(), strides);
    }
}
