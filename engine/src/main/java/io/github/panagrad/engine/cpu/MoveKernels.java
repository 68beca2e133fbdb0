package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.BlockStorage;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.op.Cast;
import io.github.panagrad.engine.op.Concat;
import io.github.panagrad.engine.op.Gather;
import io.github.panagrad.engine.op.IndexAdd;
import io.github.panagrad.engine.op.IndexAddTo;
import io.github.panagrad.engine.op.IndexSelect;
import io.github.panagrad.engine.op.ScatterAdd;
import io.github.panagrad.engine.op.Triangle;
import io.github.panagrad.engine.op.Unslice;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import java.util.Arrays;

/// Kernels that move elements: copies and conversions, concatenation, picking by index.
///
/// Indices are I32; ops on I64 ones, and conversions between integers, stay with the reference.
final class MoveKernels {
    private MoveKernels() {}

    static void register(KernelTable table) {
        table.add(Cast.class, new CastKernel(), CastKernel::suits);
        table.add(Concat.class, new ConcatKernel(), ElementwiseKernels::real);
        table.add(Unslice.class, new UnsliceKernel(), ElementwiseKernels::real);
        table.add(Triangle.class, new TriangleKernel(), ElementwiseKernels::real);
        table.add(IndexSelect.class, new SelectKernel(), MoveKernels::indexed);
        table.add(IndexAdd.class, new AddKernel(), MoveKernels::indexed);
        table.add(
                IndexAddTo.class,
                new AddToKernel(),
                in ->
                        ElementwiseKernels.real(new View[] {in[0], in[1]})
                                && in[2].dtype() == DType.I32);
        table.add(Gather.class, new GatherKernel(), MoveKernels::indexed);
        table.add(ScatterAdd.class, new ScatterAddKernel(), MoveKernels::indexed);
    }

    private static boolean indexed(View[] in) {
        return in[0].dtype().widened() == DType.F32 && in[1].dtype() == DType.I32;
    }

    private static final class CastKernel implements Kernel<Cast> {
        static boolean suits(Cast op, View[] in) {
            View x = in[0];
            DType to = op.dtype();
            if (to.isBlock()) {
                return x.isContiguous() && x.dtype().widened() == DType.F32;
            }
            if (x.dtype() == DType.F32) {
                return to == DType.F32 || to.isSegment();
            }
            boolean read = x.dtype().isSegment() || x.dtype() == DType.BOOL;
            return to == DType.F32 && x.isContiguous() && (read || x.dtype() == DType.I32);
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
        public void run(Cast op, View[] in, View[] out) {
            View x = in[0];
            View y = out[0];
            if (y.dtype().isBlock()) {
                quantise(x, y);
            } else if (x.dtype() == DType.F32 && y.dtype() == DType.F32) {
                copy(x, y.floats(), y.offset());
            } else if (x.dtype() == DType.F32 && x.isContiguous()) {
                narrow(x.floats(), x.offset(), y);
            } else if (x.dtype() == DType.F32) {
                float[] whole = Pool.floats().acquire(x.size());
                copy(x, whole, 0);
                narrow(whole, 0, y);
                Pool.floats().release(whole);
            } else {
                widen(x, y.floats(), y.offset());
            }
        }

        private static void quantise(View x, View y) {
            if (x.dtype() == y.dtype()) {
                Cast.copyRows(x, y);
                return;
            }
            var storage = (BlockStorage) y.storage();
            int inner = storage.inner();
            if (y.size() == 0) {
                return;
            }
            Parallel.forRange(
                    y.size() / inner,
                    Math.max(1, Elementwise.GRAIN / inner),
                    (from, to) -> {
                        boolean stored = x.dtype().isSegment();
                        float[] values = stored ? new float[inner] : x.floats();
                        for (int row = from; row < to; row++) {
                            long at = x.layout().offset() + (long) row * inner;
                            if (stored) {
                                Widen.run(x.storage(), at, values, 0, inner);
                            }
                            storage.quantise(row, values, stored ? 0 : (int) at);
                        }
                    });
        }

        private static void copy(View x, float[] y, int yo) {
            StridedCopy.copy(Lines.walk(x.shape(), x), x.floats(), x.offset(), y, yo);
        }

        private static void narrow(float[] x, int xo, View y) {
            Parallel.forRange(
                    y.size(),
                    Elementwise.GRAIN,
                    (from, to) ->
                            Narrow.run(
                                    y.dtype(),
                                    x,
                                    xo + from,
                                    y.segment(),
                                    y.layout().offset() + from,
                                    to - from));
        }

        private static void widen(View x, float[] y, int yo) {
            Parallel.forRange(
                    x.size(),
                    Elementwise.GRAIN,
                    (from, to) -> {
                        long at = x.layout().offset() + from;
                        switch (x.dtype()) {
                            case BOOL -> {
                                byte[] bytes = x.bytes();
                                for (int i = from; i < to; i++) {
                                    y[yo + i] = bytes[x.offset() + i];
                                }
                            }
                            case I32 -> {
                                int[] ints = x.ints();
                                for (int i = from; i < to; i++) {
                                    y[yo + i] = ints[x.offset() + i];
                                }
                            }
                            default -> Widen.run(x.storage(), at, y, yo + from, to - from);
                        }
                    });
        }
    }

    private static final class ConcatKernel implements Kernel<Concat> {
        @Override
        public void run(Concat op, View[] in, View[] out) {
            View y = out[0];
            Lines whole = Lines.of(y.shape(), op.dim());
            int outStride = whole.n() * whole.inner();
            int start = y.offset();
            for (View part : in) {
                int length = part.dim(op.dim()) * whole.inner();
                float[] x = part.floats();
                int xo = part.offset();
                int yo = start;
                Parallel.forRange(
                        whole.outer(),
                        Math.max(1, Elementwise.GRAIN / Math.max(1, length)),
                        (from, to) -> {
                            for (int r = from; r < to; r++) {
                                System.arraycopy(
                                        x, xo + r * length, y.floats(), yo + r * outStride, length);
                            }
                        });
                start += length;
            }
        }
    }

    private static final class UnsliceKernel implements Kernel<Unslice> {
        @Override
        public void run(Unslice op, View[] in, View[] out) {
            float[] x = in[0].floats();
            int xo = in[0].offset();
            float[] y = out[0].floats();
            int yo = out[0].offset();
            int n = in[0].dim(op.dim());
            Lines whole = Lines.of(out[0].shape(), op.dim());
            int inner = whole.inner();
            int outStride = whole.n() * inner;
            // With a step of 1 the rows of one line follow each other in the result too.
            int pieces = op.step() == 1 ? 1 : n;
            int length = op.step() == 1 ? n * inner : inner;
            Parallel.forRange(
                    whole.outer(),
                    Math.max(1, Elementwise.GRAIN / Math.max(1, outStride)),
                    (from, to) -> {
                        Arrays.fill(y, yo + from * outStride, yo + to * outStride, 0f);
                        for (int o = from; o < to; o++) {
                            int source = xo + o * n * inner;
                            int target = yo + o * outStride + op.start() * inner;
                            for (int i = 0; i < pieces; i++) {
                                System.arraycopy(
                                        x,
                                        source + i * length,
                                        y,
                                        target + i * op.step() * inner,
                                        length);
                            }
                        }
                    });
        }
    }

    private static final class TriangleKernel implements Kernel<Triangle> {
        @Override
        public void run(Triangle op, View[] in, View[] out) {
            int columns = in[0].dim(-1);
            int rows = in[0].dim(-2);
            float[] x = in[0].floats();
            float[] y = out[0].floats();
            Parallel.forRange(
                    columns == 0 ? 0 : in[0].size() / columns,
                    Math.max(1, Elementwise.GRAIN / Math.max(1, columns)),
                    (from, to) -> {
                        for (int r = from; r < to; r++) {
                            int edge = r % rows + op.diagonal() + (op.lower() ? 1 : 0);
                            int split = Math.clamp(edge, 0, columns);
                            int begin = op.lower() ? 0 : split;
                            int end = op.lower() ? split : columns;
                            int yo = out[0].offset() + r * columns;
                            Arrays.fill(y, yo, yo + columns, 0f);
                            System.arraycopy(
                                    x,
                                    in[0].offset() + r * columns + begin,
                                    y,
                                    yo + begin,
                                    end - begin);
                        }
                    });
        }
    }

    private static final class SelectKernel implements Kernel<IndexSelect> {
        @Override
        public boolean acceptsStored(int i) {
            return true;
        }

        @Override
        public void run(IndexSelect op, View[] in, View[] out) {
            View x = in[0];
            View index = in[1];
            View y = out[0];
            Lines lines = Lines.of(x.shape(), op.dim());
            if (x.dtype().isSegment()) {
                IndexedRows.select(
                        x.storage(),
                        x.layout().offset(),
                        index.ints(),
                        index.offset(),
                        y.floats(),
                        y.offset(),
                        lines.outer(),
                        lines.n(),
                        index.size(),
                        lines.inner());
            } else {
                IndexedRows.select(
                        x.floats(),
                        x.offset(),
                        index.ints(),
                        index.offset(),
                        y.floats(),
                        y.offset(),
                        lines.outer(),
                        lines.n(),
                        index.size(),
                        lines.inner());
            }
        }
    }

    private static final class AddToKernel implements Kernel<IndexAddTo> {
        @Override
        public void run(IndexAddTo op, View[] in, View[] out) {
            Lines lines = Lines.of(in[1].shape(), op.dim());
            float[] from = in[0].floats();
            float[] to = out[0].floats();
            if (from != to) {
                System.arraycopy(from, in[0].offset(), to, out[0].offset(), in[0].size());
            }
            IndexedRows.addTo(
                    in[1].floats(),
                    in[1].offset(),
                    in[2].ints(),
                    in[2].offset(),
                    to,
                    out[0].offset(),
                    lines.outer(),
                    in[0].dim(op.dim()),
                    lines.n(),
                    lines.inner());
        }
    }

    private static final class AddKernel implements Kernel<IndexAdd> {
        @Override
        public void run(IndexAdd op, View[] in, View[] out) {
            Lines lines = Lines.of(in[0].shape(), op.dim());
            IndexedRows.add(
                    in[0].floats(),
                    in[0].offset(),
                    in[1].ints(),
                    in[1].offset(),
                    out[0].floats(),
                    out[0].offset(),
                    lines.outer(),
                    op.extent(),
                    lines.n(),
                    lines.inner());
        }
    }

    private static final class GatherKernel implements Kernel<Gather> {
        @Override
        public void run(Gather op, View[] in, View[] out) {
            Lines lines = Lines.of(in[0].shape(), op.dim());
            IndexedRows.gather(
                    in[0].floats(),
                    in[0].offset(),
                    in[1].ints(),
                    in[1].offset(),
                    out[0].floats(),
                    out[0].offset(),
                    lines.outer(),
                    lines.n(),
                    in[1].dim(op.dim()),
                    lines.inner());
        }
    }

    private static final class ScatterAddKernel implements Kernel<ScatterAdd> {
        @Override
        public void run(ScatterAdd op, View[] in, View[] out) {
            Lines lines = Lines.of(in[0].shape(), op.dim());
            IndexedRows.scatterAdd(
                    in[0].floats(),
                    in[0].offset(),
                    in[1].ints(),
                    in[1].offset(),
                    out[0].floats(),
                    out[0].offset(),
                    lines.outer(),
                    op.extent(),
                    lines.n(),
                    lines.inner());
        }
    }
}
