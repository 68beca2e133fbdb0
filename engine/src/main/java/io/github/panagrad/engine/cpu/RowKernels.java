package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.op.ArgExtremum;
import io.github.panagrad.engine.op.CumSum;
import io.github.panagrad.engine.op.Extremum;
import io.github.panagrad.engine.op.Gather;
import io.github.panagrad.engine.op.LogSoftmax;
import io.github.panagrad.engine.op.LogSumExp;
import io.github.panagrad.engine.op.Norm;
import io.github.panagrad.engine.op.Rope;
import io.github.panagrad.engine.op.Softmax;
import io.github.panagrad.engine.op.Sum;
import io.github.panagrad.engine.op.SumOfSquares;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import java.util.List;

/// Which row kernel computes which op: softmax and kin, reductions, rotary embedding.
final class RowKernels {
    private RowKernels() {}

    static void register(KernelTable table) {
        table.add(Softmax.class, new SoftmaxKernel(), ElementwiseKernels::real);
        table.add(Softmax.Grad.class, new SoftmaxGradient(), ElementwiseKernels::real);
        table.add(LogSoftmax.class, new LogSoftmaxKernel(), ElementwiseKernels::real);
        table.add(LogSoftmax.Grad.class, new LogSoftmaxGradient(), ElementwiseKernels::real);
        table.add(LogSumExp.class, new LogSumExpKernel(), ElementwiseKernels::real);
        table.add(Extremum.class, new ExtremumKernel(), ElementwiseKernels::real);
        table.add(ArgExtremum.class, new ArgExtremumKernel(), ElementwiseKernels::real);
        table.add(Sum.class, new SumKernel(), ElementwiseKernels::real);
        table.add(CumSum.class, new CumSumKernel(), ElementwiseKernels::real);
        table.add(Norm.class, new NormKernel(), NormKernel::suits);
        table.add(SumOfSquares.class, new SumOfSquaresKernel(), ElementwiseKernels::real);
        table.add(Rope.class, new RopeKernel(), in -> in[3].dtype() == DType.I32);
    }

    /// Returns the number of rows of the last dimension.
    static int rows(View view) {
        return view.dim(-1) == 0 ? 0 : view.size() / view.dim(-1);
    }

    private static final class SoftmaxKernel implements Kernel<Softmax> {
        @Override
        public void run(Softmax op, View[] in, View[] out) {
            View x = in[0];
            View y = out[0];
            SoftmaxRows.forward(x.floats(), x.offset(), y.floats(), y.offset(), rows(x), x.dim(-1));
        }
    }

    private static final class SoftmaxGradient implements Kernel<Softmax.Grad> {
        @Override
        public void run(Softmax.Grad op, View[] in, View[] out) {
            View y = in[0];
            SoftmaxRows.backward(
                    y.floats(),
                    y.offset(),
                    in[1].floats(),
                    in[1].offset(),
                    out[0].floats(),
                    out[0].offset(),
                    rows(y),
                    y.dim(-1));
        }
    }

    private static final class LogSoftmaxKernel implements Kernel<LogSoftmax> {
        @Override
        public void run(LogSoftmax op, View[] in, View[] out) {
            View x = in[0];
            View y = out[0];
            SoftmaxRows.logForward(
                    x.floats(), x.offset(), y.floats(), y.offset(), rows(x), x.dim(-1));
        }
    }

    private static final class LogSoftmaxGradient implements Kernel<LogSoftmax.Grad> {
        @Override
        public void run(LogSoftmax.Grad op, View[] in, View[] out) {
            View y = in[0];
            SoftmaxRows.logBackward(
                    y.floats(),
                    y.offset(),
                    in[1].floats(),
                    in[1].offset(),
                    out[0].floats(),
                    out[0].offset(),
                    rows(y),
                    y.dim(-1));
        }
    }

    private static final class LogSumExpKernel implements Kernel<LogSumExp> {
        @Override
        public void run(LogSumExp op, View[] in, View[] out) {
            Lines lines = Lines.of(in[0].shape(), op.dim());
            View y = out[0];
            lines.contiguous(
                    in[0],
                    (x, o) ->
                            SoftmaxRows.logSumExp(
                                    x, o, y.floats(), y.offset(), lines.count(), lines.n()));
        }
    }

    private static final class ExtremumKernel implements Kernel<Extremum> {
        @Override
        public void run(Extremum op, View[] in, View[] out) {
            Lines lines = Lines.of(in[0].shape(), op.dim());
            float[] y = out[0].floats();
            int yo = out[0].offset();
            lines.contiguous(
                    in[0],
                    (x, o) -> {
                        if (op.max()) {
                            RowReduce.max(x, o, y, yo, lines.count(), lines.n());
                        } else {
                            RowReduce.min(x, o, y, yo, lines.count(), lines.n());
                        }
                    });
        }
    }

    private static final class ArgExtremumKernel implements Kernel<ArgExtremum> {
        @Override
        public void run(ArgExtremum op, View[] in, View[] out) {
            Lines lines = Lines.of(in[0].shape(), op.dim());
            int[] y = out[0].ints();
            int yo = out[0].offset();
            lines.contiguous(
                    in[0],
                    (x, o) -> {
                        if (op.max()) {
                            RowReduce.argMax(x, o, y, yo, lines.count(), lines.n());
                        } else {
                            RowReduce.argMin(x, o, y, yo, lines.count(), lines.n());
                        }
                    });
        }
    }

    /// Sums over one block of neighbouring dimensions at a time, the last one first.
    private static final class SumKernel implements Kernel<Sum> {
        @Override
        public void run(Sum op, View[] in, View[] out) {
            Shape shape = in[0].shape();
            List<Integer> dims = op.dims();
            float[] from = in[0].floats();
            int at = in[0].offset();
            int end = dims.size();
            if (end == 0) {
                System.arraycopy(from, at, out[0].floats(), out[0].offset(), in[0].size());
            }
            while (end > 0) {
                int begin = end - 1;
                while (begin > 0 && dims.get(begin - 1) == dims.get(begin) - 1) {
                    begin--;
                }
                int first = dims.get(begin);
                int after = dims.get(end - 1) + 1;
                int outer = shape.product(0, first);
                int n = shape.product(first, after);
                int inner = shape.product(after, shape.rank());
                boolean last = begin == 0;
                float[] to = last ? out[0].floats() : Pool.floats().acquire(outer * inner);
                int target = last ? out[0].offset() : 0;
                if (inner == 1) {
                    RowReduce.sum(from, at, to, target, outer, n, 1);
                } else {
                    ColumnSums.sum(from, at, to, target, outer, n, inner);
                }
                if (end < dims.size()) {
                    Pool.floats().release(from);
                }
                for (int d = first; d < after; d++) {
                    shape = shape.with(d, 1);
                }
                from = to;
                at = target;
                end = begin;
            }
        }
    }

    private static final class CumSumKernel implements Kernel<CumSum> {
        @Override
        public void run(CumSum op, View[] in, View[] out) {
            Lines lines = Lines.of(in[0].shape(), op.dim());
            RowReduce.cumulativeSum(
                    in[0].floats(),
                    in[0].offset(),
                    out[0].floats(),
                    out[0].offset(),
                    lines.outer(),
                    lines.n(),
                    lines.inner(),
                    op.reverse());
        }
    }

    /// Norms over the last dimensions; over others they are rare, and stay with the reference.
    private static final class NormKernel implements Kernel<Norm> {
        static boolean suits(Norm op, View[] in) {
            int rank = in[0].shape().rank();
            boolean trailing = ElementwiseKernels.real(in) && !op.dims().isEmpty();
            for (int i = 0; i < op.dims().size(); i++) {
                trailing &= op.dims().get(i) == rank - op.dims().size() + i;
            }
            return trailing;
        }

        @Override
        public void run(Norm op, View[] in, View[] out) {
            Shape shape = in[0].shape();
            int rows = shape.product(0, op.dims().getFirst());
            int n = shape.product(op.dims().getFirst(), shape.rank());
            float[] x = in[0].floats();
            float[] y = out[0].floats();
            for (int r = 0; r < rows; r++) {
                double squares = SumsOfSquares.total(x, in[0].offset() + r * n, n);
                y[out[0].offset() + r] = (float) Math.sqrt(squares);
            }
        }
    }

    private static final class SumOfSquaresKernel implements Kernel<SumOfSquares> {
        @Override
        public void run(SumOfSquares op, View[] in, View[] out) {
            View x = in[0];
            double total = SumsOfSquares.total(x.floats(), x.offset(), x.size());
            out[0].floats()[out[0].offset()] = (float) total;
        }
    }

    private static final class RopeKernel implements Kernel<Rope> {
        @Override
        public void run(Rope op, View[] in, View[] out) {
            View x = in[0];
            View cos = in[1];
            View sin = in[2];
            View ids = in[3];
            for (int i = 0; i < ids.size(); i++) {
                Gather.checked("rope", ids.ints()[ids.offset() + i], cos.dim(0));
            }
            boolean shared = ids.shape().rank() == 1;
            RopeRows.turn(
                    x.floats(),
                    x.offset(),
                    cos.floats(),
                    cos.offset(),
                    sin.floats(),
                    sin.offset(),
                    ids.ints(),
                    ids.offset(),
                    shared ? 1 : x.dim(0),
                    shared ? x.dim(0) : 1,
                    x.dim(1),
                    x.dim(2),
                    x.dim(3),
                    x.dim(3),
                    op.inverse() ? -1 : 1,
                    out[0].floats(),
                    out[0].offset());
        }
    }
}
