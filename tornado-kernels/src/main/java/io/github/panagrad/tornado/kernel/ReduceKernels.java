package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.op.ArgExtremum;
import io.github.panagrad.engine.op.Extremum;
import io.github.panagrad.engine.op.LogSumExp;
import io.github.panagrad.engine.op.Norm;
import io.github.panagrad.engine.op.Sum;
import io.github.panagrad.engine.op.SumOfSquares;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.DeviceStorage;
import io.github.panagrad.tornado.device.PanagradDevice;
import io.github.panagrad.tornado.device.Program;
import java.util.List;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Reductions: sums, norms, extremes, where these are, and log-sum-exps.
final class ReduceKernels {
    private static final int LOCAL = RowGroups.LOCAL;

    private final PanagradDevice device;
    private final CopyKernels copies;
    private final Folds folds;
    private final Program argExtremum;
    private final Program logSumExp;

    ReduceKernels(PanagradDevice device, CopyKernels copies, Folds folds) {
        this.device = device;
        this.copies = copies;
        this.folds = folds;
        argExtremum = device.programs().add("argExtremum", LOCAL, ReduceKernels::kArgExtremum);
        logSumExp = device.programs().add("logSumExp", LOCAL, ReduceKernels::kLogSumExp);
    }

    void register(KernelTable table) {
        table.add(Sum.class, new SumKernel());
        table.add(SumOfSquares.class, new SumOfSquaresKernel(), (op, in) -> KernelTable.floats(in));
        table.add(
                Norm.class,
                new NormKernel(),
                (op, in) -> KernelTable.floats(in) && areNeighbours(op.dims()));
        table.add(Extremum.class, new ExtremumKernel(), (op, in) -> KernelTable.floats(in));
        table.add(ArgExtremum.class, new ArgExtremumKernel(), (op, in) -> KernelTable.floats(in));
        table.add(LogSumExp.class, new LogSumExpKernel(), (op, in) -> KernelTable.floats(in));
    }

    private static boolean areNeighbours(List<Integer> dims) {
        return !dims.isEmpty() && dims.getLast() - dims.getFirst() == dims.size() - 1;
    }

    /// A shape split at some neighbouring dimensions.
    private record Lines(int outer, int n, int inner) {
        static Lines of(Shape shape, int first, int last) {
            return new Lines(
                    shape.product(0, first),
                    shape.product(first, last + 1),
                    shape.product(last + 1, shape.rank()));
        }

        int count() {
            return outer * inner;
        }
    }

    /// Sums over one block of neighbouring dimensions at a time, the last one first.
    private final class SumKernel implements Kernel<Sum> {
        @Override
        public void run(Sum op, View[] in, View[] out) {
            List<Integer> dims = op.dims();
            Shape shape = in[0].shape();
            boolean real = in[0].dtype() == DType.F32;
            int from = Places.at(in[0]);
            DeviceStorage scratch = null;
            int end = dims.size();
            if (end == 0) {
                copies.copy(in[0], out[0]);
            }
            while (end > 0) {
                int begin = end - 1;
                while (begin > 0 && dims.get(begin - 1) == dims.get(begin) - 1) {
                    begin--;
                }
                Lines lines = Lines.of(shape, dims.get(begin), dims.get(end - 1));
                DeviceStorage next =
                        begin == 0 ? null : device.allocate(out[0].dtype(), lines.count());
                int to = next == null ? Places.at(out[0]) : next.at();
                if (real) {
                    folds.run(Folds.SUM, from, lines.outer, lines.n, lines.inner, to);
                } else {
                    folds.sumInts(from, lines.outer, lines.n, lines.inner, to);
                }
                for (int d = begin; d < end; d++) {
                    shape = shape.with(dims.get(d), 1);
                }
                if (scratch != null) {
                    scratch.release("sum");
                }
                scratch = next;
                from = to;
                end = begin;
            }
        }
    }

    private final class SumOfSquaresKernel implements Kernel<SumOfSquares> {
        @Override
        public void run(SumOfSquares op, View[] in, View[] out) {
            folds.run(Folds.SQUARES, Places.at(in[0]), 1, in[0].size(), 1, Places.at(out[0]));
        }
    }

    private final class NormKernel implements Kernel<Norm> {
        @Override
        public void run(Norm op, View[] in, View[] out) {
            Lines lines = Lines.of(in[0].shape(), op.dims().getFirst(), op.dims().getLast());
            folds.norms(Places.at(in[0]), lines.outer, lines.n, lines.inner, Places.at(out[0]));
        }
    }

    private final class ExtremumKernel implements Kernel<Extremum> {
        @Override
        public void run(Extremum op, View[] in, View[] out) {
            Lines lines = Lines.of(in[0].shape(), op.dim(), op.dim());
            folds.run(
                    op.max() ? Folds.MAX : Folds.MIN,
                    Places.at(in[0]),
                    lines.outer,
                    lines.n,
                    lines.inner,
                    Places.at(out[0]));
        }
    }

    private final class ArgExtremumKernel implements Kernel<ArgExtremum> {
        @Override
        public void run(ArgExtremum op, View[] in, View[] out) {
            rows(argExtremum, op.dim(), in[0], out[0], op.max() ? 1f : -1f);
        }
    }

    private final class LogSumExpKernel implements Kernel<LogSumExp> {
        @Override
        public void run(LogSumExp op, View[] in, View[] out) {
            rows(logSumExp, op.dim(), in[0], out[0], Float.NEGATIVE_INFINITY);
        }
    }

    /// Launches a program over rows, for other dimensions than the last over a copy with that one
    /// last.
    private void rows(Program program, int dim, View in, View out, float number) {
        Lines lines = Lines.of(in.shape(), dim, dim);
        int from = Places.at(in);
        DeviceStorage copy = null;
        if (lines.inner > 1) {
            copy = device.allocate(DType.F32, in.size());
            Shape order = Shape.of(lines.outer, lines.inner, lines.n);
            int size = lines.n * lines.inner;
            copies.copy(
                    DType.F32,
                    from,
                    new int[] {0, 0, 0, size, 1, lines.inner},
                    order,
                    DType.F32,
                    copy.at(),
                    new int[] {0, 0, 0, size, lines.n, 1});
            from = copy.at();
        }
        int rows = lines.count();
        int lanes = RowGroups.lanes(lines.n);
        program.launchGroups(
                RowGroups.groups(rows, lanes),
                new int[] {rows, lanes, lines.n, from, Places.at(out)},
                number);
        if (copy != null) {
            copy.release("reduce");
        }
    }

    // p: rows, lanes, n, from, to; r: 1 for the greatest, -1 for the least

    private static void kArgExtremum(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        float[] values = c.allocateFloatLocalArray(LOCAL);
        int[] places = c.allocateIntLocalArray(LOCAL);
        int rows = p.get(0);
        int lanes = p.get(1);
        int length = p.get(2);
        float sign = r.get(0);
        int t = c.localIdx;
        int lane = t % lanes;
        int row = RowGroups.row(c, p);
        float best = 0f;
        int at = 0;
        if (row < rows) {
            int from = p.get(3) + row * length;
            // All begin with the first element: if it is NaN, nothing exceeds it.
            best = sign * f.get(from);
            for (int i = lane; i < length; i += lanes) {
                float x = sign * f.get(from + i);
                if (x > best) {
                    best = x;
                    at = i;
                }
            }
        }
        values[t] = best;
        places[t] = at;
        c.localBarrier();
        for (int half = lanes / 2; half > 0; half = half / 2) {
            if (lane < half) {
                float mine = values[t];
                float other = values[t + half];
                if (other > mine) {
                    values[t] = other;
                    places[t] = places[t + half];
                }
                if (other == mine && places[t + half] < places[t]) {
                    places[t] = places[t + half];
                }
            }
            c.localBarrier();
        }
        if (lane == 0 && row < rows) {
            n.set(p.get(4) + row, places[t]);
        }
    }

    // p: rows, lanes, n, from, to; r: minus infinity

    private static void kLogSumExp(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int rows = p.get(0);
        int lanes = p.get(1);
        int length = p.get(2);
        int lane = c.localIdx % lanes;
        int row = RowGroups.row(c, p);
        int from = p.get(3) + row * length;
        int end = length;
        if (row >= rows) {
            end = 0;
        }
        float max = r.get(0);
        for (int i = lane; i < end; i += lanes) {
            float x = f.get(from + i);
            if (x > max) {
                max = x;
            }
        }
        max = RowGroups.max(c, lanes, max);
        float sum = 0f;
        for (int i = lane; i < end; i += lanes) {
            sum += TornadoMath.exp(f.get(from + i) - max);
        }
        sum = RowGroups.sum(c, lanes, sum);
        if (lane == 0 && row < rows) {
            float result = max + TornadoMath.log(sum);
            // Infinite: infinity less itself is no number.
            if (max == r.get(0) || max == -r.get(0)) {
                result = max;
            }
            f.set(p.get(4) + row, result);
        }
    }
}
