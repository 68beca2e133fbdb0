package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.op.MatMul;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The matrix product on views: transposes, broadcasts and stored weights are read where they lie.
final class MatMulKernel implements Kernel<MatMul> {
    /// Tells whether the operands are real numbers.
    static boolean suits(View[] in) {
        return in[0].dtype().widened() == DType.F32 && in[1].dtype().widened() == DType.F32;
    }

    @Override
    public boolean acceptsStrides(int i) {
        return true;
    }

    @Override
    public boolean acceptsStored(int i) {
        return true;
    }

    @Override
    public void run(MatMul op, View[] in, View[] out) {
        Shape shape = out[0].shape();
        int batch = shape.rank() - 2;
        int m = shape.dim(-2);
        int n = shape.dim(-1);
        int k = in[0].dim(-1);
        if (shape.size() == 0) {
            return;
        }
        var copies = new ArrayList<float[]>();
        Source a = source(in[0], shape.with(-1, k), true, copies);
        Source b = source(in[1], shape.with(-2, k), false, copies);
        long[] c = shape.rowMajor();
        // Where b is the same for a whole leading dimension, its matrices of a are one tall matrix.
        while (batch > 0 && b.isRepeated(batch - 1) && a.continues(batch - 1, m)) {
            batch--;
            m *= shape.dim(batch);
        }
        int[] dims = Arrays.copyOf(shape.toArray(), batch);
        new BatchedGemm(dims, a.strides, b.strides, c)
                .run(m, n, k, a.matrix, b.matrix, out[0].floats(), out[0].offset(), n, false);
        copies.forEach(Pool.floats()::release);
    }

    /// The matrices of a view and its strides over the leading dimensions.
    ///
    /// @param laneStride the distance between rows of a, or columns of b
    private record Source(Operand matrix, long[] strides, int[] dims, long laneStride) {
        boolean isRepeated(int dim) {
            return dims[dim] == 1 || strides[dim] == 0;
        }

        /// Tells whether the next matrix along a dimension begins where the row after the last
        /// would.
        boolean continues(int dim, int rows) {
            return dims[dim] == 1
                    || (matrix.stepsContiguous() && strides[dim] == rows * laneStride);
        }
    }

    private static Source source(
            View view, Shape expanded, boolean lanesAreRows, List<float[]> copies) {
        Layout layout = view.layout().expand(expanded);
        int lanes = expanded.dim(lanesAreRows ? -2 : -1);
        int steps = expanded.dim(lanesAreRows ? -1 : -2);
        long laneStride = layout.stride(lanesAreRows ? -2 : -1);
        long stepStride = layout.stride(lanesAreRows ? -1 : -2);
        boolean stepsContiguous = stepStride == 1 || steps == 1;
        if (!stepsContiguous && laneStride != 1 && lanes != 1) {
            float[] copy = contiguous(view);
            copies.add(copy);
            var moved = Layout.contiguous(view.shape()).expand(expanded);
            boolean rows = lanesAreRows;
            int ld = Math.toIntExact(moved.stride(-2));
            var matrix = new Operand.Floats(copy, 0, ld, rows);
            return new Source(matrix, strides(moved), expanded.toArray(), rows ? ld : 1);
        }
        // A single row with a gap to nowhere still has to say where its successor would begin.
        long ld = stepsContiguous ? laneStride : stepStride;
        Operand matrix =
                view.dtype().isSegment()
                        ? new StoredOperand(view.storage(), layout.offset(), ld, stepsContiguous)
                        : new Operand.Floats(
                                view.floats(),
                                layout.intOffset(),
                                Math.toIntExact(ld),
                                stepsContiguous);
        return new Source(matrix, strides(layout), expanded.toArray(), laneStride);
    }

    private static long[] strides(Layout layout) {
        long[] strides = new long[layout.shape().rank()];
        for (int d = 0; d < strides.length; d++) {
            strides[d] = layout.stride(d);
        }
        return strides;
    }

    /// Copies a view that has gaps in both of its last dimensions, as a slice with a step has.
    private static float[] contiguous(View view) {
        float[] copy = Pool.floats().acquire(view.size());
        for (int i = 0; i < view.size(); i++) {
            copy[i] = (float) view.get(i);
        }
        return copy;
    }
}
