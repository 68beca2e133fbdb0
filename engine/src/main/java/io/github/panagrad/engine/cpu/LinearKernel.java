package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.op.Linear;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;

/// A linear layer as one product over all rows of x, added to the bias where there is one. Weights are
/// read in the type and the layout they are stored in.
final class LinearKernel implements Kernel<Linear> {
    /// Tells whether the operands are real numbers, and the weight has rows without gaps.
    static boolean suits(View[] in) {
        for (View view : in) {
            if (view.dtype().widened() != DType.F32) {
                return false;
            }
        }
        return in[1].stride(1) == 1 || in[1].stride(0) == 1;
    }

    @Override
    public boolean acceptsStrides(int i) {
        return i == 1;
    }

    @Override
    public boolean acceptsStored(int i) {
        return i == 1;
    }

    @Override
    public void run(Linear op, View[] in, View[] out) {
        View weight = in[1];
        int n = weight.dim(0);
        int k = weight.dim(1);
        int rows = n == 0 ? 0 : out[0].size() / n;
        float[] y = out[0].floats();
        int yo = out[0].offset();
        boolean biased = in.length == 3;
        if (biased) {
            for (int i = 0; i < rows; i++) {
                System.arraycopy(in[2].floats(), in[2].offset(), y, yo + i * n, n);
            }
        }
        var x = new Operand.Floats(in[0].floats(), in[0].offset(), k, true);
        boolean stepsContiguous = weight.stride(1) == 1;
        int ld = weight.stride(stepsContiguous ? 0 : 1);
        Operand w =
                weight.dtype().isSegment()
                        ? new StoredOperand(
                                weight.storage(), weight.layout().offset(), ld, stepsContiguous)
                        : new Operand.Floats(weight.floats(), weight.offset(), ld, stepsContiguous);
        Gemm.run(rows, n, k, x, w, y, yo, n, biased);
    }
}
