package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.op.Gather;
import io.github.panagrad.engine.op.IndexAdd;
import io.github.panagrad.engine.op.IndexAddTo;
import io.github.panagrad.engine.op.IndexSelect;
import io.github.panagrad.engine.op.ScatterAdd;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.DeviceStorage;
import io.github.panagrad.tornado.device.Faults;
import io.github.panagrad.tornado.device.PanagradDevice;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Kernels that pick elements by number, and their reverse, which adds them up: always in the order
/// in which they came, so that the bits are the same in each run.
///
/// An index out of range is not followed: see [Faults].
final class IndexKernels {
    private static final int LOCAL = 64;

    /// So many rows that may go to one element are looked through by each element's thread.
    private static final int FEW = 16;

    /// So many lines keep a device busy with a thread each.
    private static final int MANY_LINES = 1024;

    /// For so many elements at most, each looks through its line even if it is long.
    private static final int SMALL = 1 << 22;

    /// Rows of one number are added up in pieces, so that a frequent one loses little to rounding.
    private static final int PIECE = 32;

    private final PanagradDevice device;
    private final CopyKernels copies;
    private final Program select;
    private final Program sort;
    private final Program addRows;
    private final Program gather;
    private final Program scatterElements;
    private final Program scatterLines;

    IndexKernels(PanagradDevice device, CopyKernels copies) {
        this.device = device;
        this.copies = copies;
        Programs programs = device.programs();
        select = programs.add("indexSelect", LOCAL, IndexKernels::kSelect);
        sort = programs.add("indexSort", LOCAL, IndexKernels::kSort);
        addRows = programs.add("indexAddRows", LOCAL, IndexKernels::kAddRows);
        gather = programs.add("gather", LOCAL, IndexKernels::kGather);
        scatterElements = programs.add("scatterAddElements", LOCAL, IndexKernels::kScatterElements);
        scatterLines = programs.add("scatterAddLines", LOCAL, IndexKernels::kScatterLines);
    }

    void register(KernelTable table) {
        table.add(
                IndexSelect.class,
                new SelectKernel(),
                (op, in) -> KernelTable.isReal(in[0]) && in[1].dtype() == DType.I32);
        table.add(IndexAdd.class, this::add, (op, in) -> indexed(in[0], in[1]));
        table.add(
                IndexAddTo.class,
                this::addTo,
                (op, in) -> indexed(in[0], in[2]) && in[1].dtype() == DType.F32);
        table.add(Gather.class, this::gather, (op, in) -> indexed(in[0], in[1]));
        table.add(ScatterAdd.class, this::scatterAdd, (op, in) -> indexed(in[0], in[1]));
    }

    private static boolean indexed(View x, View index) {
        return x.dtype() == DType.F32 && index.dtype() == DType.I32;
    }

    private static int outer(Shape shape, int dim) {
        return shape.product(0, dim);
    }

    private static int inner(Shape shape, int dim) {
        return shape.product(dim + 1, shape.rank());
    }

    /// Widens the rows it picks from BF16 or F16, so that no copy is made of a whole embedding.
    private final class SelectKernel implements Kernel<IndexSelect> {
        @Override
        public boolean acceptsStored(int i) {
            return true;
        }

        @Override
        public void run(IndexSelect op, View[] in, View[] out) {
            select(op, in, out);
        }
    }

    private void select(IndexSelect op, View[] in, View[] out) {
        int n = out[0].size();
        int[] launch = {
            n,
            Places.at(in[0]),
            Places.at(in[1]),
            Places.at(out[0]),
            in[1].size(),
            in[0].dim(op.dim()),
            inner(in[0].shape(), op.dim()),
            device.faults().at(),
            device.faults().number(op.name()),
            Halves.code(in[0].dtype())
        };
        select.launch(n, launch, Float.NaN);
    }

    private void add(IndexAdd op, View[] in, View[] out) {
        copies.fill(Places.at(out[0]), out[0].size(), 0f);
        addRows(op.name(), op.dim(), op.extent(), in[0], in[1], out[0]);
    }

    private void addTo(IndexAddTo op, View[] in, View[] out) {
        if (Places.at(in[0]) != Places.at(out[0])) {
            copies.copyContiguous(in[0], out[0]);
        }
        addRows(op.name(), op.dim(), in[0].dim(op.dim()), in[1], in[2], out[0]);
    }

    private void addRows(String op, int dim, int extent, View x, View index, View out) {
        int k = index.size();
        DeviceStorage sorted = device.allocate(DType.I32, k);
        int fault = device.faults().at();
        int number = device.faults().number(op);
        sort.launch(k, new int[] {k, Places.at(index), sorted.at(), extent, fault, number});
        int n = x.size();
        int inner = inner(x.shape(), dim);
        int[] launch = {
            n, Places.at(x), Places.at(index), Places.at(out), k, extent, inner, sorted.at()
        };
        addRows.launch(n, launch);
        sorted.release(op);
    }

    private void gather(Gather op, View[] in, View[] out) {
        int n = out[0].size();
        int[] launch = {
            n,
            Places.at(in[0]),
            Places.at(in[1]),
            Places.at(out[0]),
            in[1].dim(op.dim()),
            in[0].dim(op.dim()),
            inner(in[0].shape(), op.dim()),
            device.faults().at(),
            device.faults().number(op.name())
        };
        gather.launch(n, launch, Float.NaN);
    }

    private void scatterAdd(ScatterAdd op, View[] in, View[] out) {
        Shape shape = in[0].shape();
        int k = shape.dim(op.dim());
        int inner = inner(shape, op.dim());
        int lines = outer(shape, op.dim()) * inner;
        int n = out[0].size();
        boolean each = k <= FEW || (lines < MANY_LINES && n <= SMALL);
        int threads = each ? n : lines;
        int[] launch = {
            threads,
            Places.at(in[0]),
            Places.at(in[1]),
            Places.at(out[0]),
            k,
            op.extent(),
            inner,
            device.faults().at(),
            device.faults().number(op.name())
        };
        if (each) {
            scatterElements.launch(threads, launch);
        } else {
            copies.fill(Places.at(out[0]), n, 0f);
            scatterLines.launch(threads, launch);
        }
    }

    // p: n, from, index, to, rows picked, rows, elements of a row, fault, op, code of halves; r:
    // NaN

    private static void kSelect(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int inner = p.get(6);
            int row = i / inner;
            int outer = row / p.get(4);
            int v = n.get(p.get(2) + row - outer * p.get(4));
            int at = p.get(1) + (outer * p.get(5) + v) * inner + i - row * inner;
            if (v < 0 || v >= p.get(5)) {
                Faults.note(n, p.get(7), p.get(8), v, p.get(5));
                f.set(p.get(3) + i, r.get(0));
            } else if (p.get(9) != 0) {
                f.set(p.get(3) + i, Halves.widened(n, at, p.get(9)));
            } else {
                f.set(p.get(3) + i, f.get(at));
            }
        }
    }

    // p: k, index, sorted, extent, fault, op

    /// Puts each row's number to its place in the order of index and number: after as many as come
    /// before it. Counting them takes k² comparisons, few beside what the rows themselves hold.
    private static void kSort(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        int k = p.get(0);
        if (i < k) {
            int index = p.get(1);
            int v = n.get(index + i);
            if (v < 0 || v >= p.get(3)) {
                Faults.note(n, p.get(4), p.get(5), v, p.get(3));
            }
            int place = 0;
            for (int j = 0; j < i; j++) {
                if (n.get(index + j) <= v) {
                    place++;
                }
            }
            for (int j = i + 1; j < k; j++) {
                if (n.get(index + j) < v) {
                    place++;
                }
            }
            n.set(p.get(2) + place, i);
        }
    }

    // p: n, from, index, to, k, extent, elements of a row, sorted

    /// A thread an element of a row in sorted order: the first of its number adds up all of them.
    private static void kAddRows(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int index = p.get(2);
            int k = p.get(4);
            int extent = p.get(5);
            int inner = p.get(6);
            int sorted = p.get(7);
            int line = i / inner;
            int column = i - line * inner;
            int outer = line / k;
            int place = line - outer * k;
            int v = n.get(index + n.get(sorted + place));
            int before = -1;
            if (place > 0) {
                before = n.get(index + n.get(sorted + place - 1));
            }
            if (v >= 0 && v < extent && v != before) {
                int from = p.get(1) + outer * k * inner + column;
                float sum = 0f;
                float piece = 0f;
                int same = v;
                while (same == v) {
                    piece += f.get(from + n.get(sorted + place) * inner);
                    place++;
                    if (place % PIECE == 0) {
                        sum += piece;
                        piece = 0f;
                    }
                    same = -1;
                    if (place < k) {
                        same = n.get(index + n.get(sorted + place));
                    }
                }
                int to = p.get(3) + (outer * extent + v) * inner + column;
                f.set(to, f.get(to) + (sum + piece));
            }
        }
    }

    // p: n, from, index, to, rows picked, rows, elements of a row, fault, op; r: NaN

    private static void kGather(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int inner = p.get(6);
            int row = i / inner;
            int outer = row / p.get(4);
            int v = n.get(p.get(2) + i);
            float y = r.get(0);
            if (v < 0 || v >= p.get(5)) {
                Faults.note(n, p.get(7), p.get(8), v, p.get(5));
            } else {
                y = f.get(p.get(1) + (outer * p.get(5) + v) * inner + i - row * inner);
            }
            f.set(p.get(3) + i, y);
        }
    }

    // p: threads, from, index, to, k, extent, distance of a line's elements, fault, op

    /// A thread an element of the result, which looks through the indices of its line.
    private static void kScatterElements(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int k = p.get(4);
            int extent = p.get(5);
            int inner = p.get(6);
            int row = i / inner;
            int outer = row / extent;
            int own = row - outer * extent;
            int at = outer * k * inner + i - row * inner;
            float sum = 0f;
            for (int j = 0; j < k; j++) {
                int v = n.get(p.get(2) + at);
                if (v == own) {
                    sum += f.get(p.get(1) + at);
                }
                if (own == 0) {
                    if (v < 0 || v >= extent) {
                        Faults.note(n, p.get(7), p.get(8), v, extent);
                    }
                }
                at += inner;
            }
            f.set(p.get(3) + i, sum);
        }
    }

    /// A thread a line, which adds its elements to zeros one after the other.
    private static void kScatterLines(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int line = c.globalIdx;
        if (line < p.get(0)) {
            int k = p.get(4);
            int extent = p.get(5);
            int inner = p.get(6);
            int outer = line / inner;
            int column = line - outer * inner;
            int at = outer * k * inner + column;
            for (int j = 0; j < k; j++) {
                int v = n.get(p.get(2) + at);
                if (v < 0 || v >= extent) {
                    Faults.note(n, p.get(7), p.get(8), v, extent);
                } else {
                    int to = p.get(3) + (outer * extent + v) * inner + column;
                    f.set(to, f.get(to) + f.get(p.get(1) + at));
                }
                at += inner;
            }
        }
    }
}
