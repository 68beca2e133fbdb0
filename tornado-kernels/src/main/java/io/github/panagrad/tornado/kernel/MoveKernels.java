package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.op.Concat;
import io.github.panagrad.engine.op.CumSum;
import io.github.panagrad.engine.op.Fold;
import io.github.panagrad.engine.op.Triangle;
import io.github.panagrad.engine.op.Unslice;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.PanagradDevice;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Kernels that put elements elsewhere: side by side, into a slice, a triangle; and sums on the way,
/// running ones and those of windows.
final class MoveKernels {
    private static final int LOCAL = 64;

    private final CopyKernels copies;
    private final Program unslice;
    private final Program triangle;
    private final Program fold;
    private final Program cumSum;

    MoveKernels(Programs programs, CopyKernels copies) {
        this.copies = copies;
        unslice = programs.add("unslice", LOCAL, MoveKernels::kUnslice);
        fold = programs.add("fold", LOCAL, MoveKernels::kFold);
        triangle = programs.add("triangle", LOCAL, MoveKernels::kTriangle);
        cumSum = programs.add("cumSum", LOCAL, MoveKernels::kCumSum);
    }

    void register(KernelTable table) {
        table.add(Concat.class, new ConcatKernel(), (op, in) -> canConcat(in));
        table.add(Unslice.class, this::unslice, (op, in) -> KernelTable.floats(in));
        table.add(Fold.class, this::fold, (op, in) -> KernelTable.floats(in));
        table.add(Triangle.class, this::triangle, (op, in) -> KernelTable.floats(in));
        table.add(CumSum.class, this::cumSum, (op, in) -> KernelTable.floats(in));
    }

    private static boolean canConcat(View[] in) {
        for (View part : in) {
            if (part.dtype() != in[0].dtype() || !PanagradDevice.holds(part.dtype())) {
                return false;
            }
        }
        return Walk.suits(in);
    }

    private final class ConcatKernel implements StridedKernel<Concat> {
        @Override
        public void run(Concat op, View[] in, View[] out) {
            int start = 0;
            for (View part : in) {
                int extent = part.dim(op.dim());
                if (part.size() > 0) {
                    Layout slice = out[0].layout().slice(op.dim(), start, extent, 1);
                    copies.copy(part, new View(out[0].storage(), slice));
                }
                start += extent;
            }
        }
    }

    private void unslice(Unslice op, View[] in, View[] out) {
        int n = out[0].size();
        Shape shape = in[0].shape();
        int[] launch = {
            n,
            Places.at(in[0]),
            Places.at(out[0]),
            op.extent(),
            shape.product(op.dim() + 1, shape.rank()),
            op.start(),
            op.step(),
            shape.dim(op.dim())
        };
        unslice.launch(n, launch);
    }

    private void fold(Fold op, View[] in, View[] out) {
        int n = out[0].size();
        Shape shape = in[0].shape();
        int[] launch = {
            n,
            Places.at(in[0]),
            Places.at(out[0]),
            op.extent(),
            shape.product(op.dim() + 1, shape.rank() - 1),
            op.step(),
            op.dilation(),
            shape.dim(op.dim()),
            shape.dim(-1)
        };
        fold.launch(n, launch);
    }

    private void triangle(Triangle op, View[] in, View[] out) {
        int n = out[0].size();
        int[] launch = {
            n,
            Places.at(in[0]),
            Places.at(out[0]),
            in[0].dim(-2),
            in[0].dim(-1),
            op.diagonal(),
            op.lower() ? 1 : 0
        };
        triangle.launch(n, launch);
    }

    private void cumSum(CumSum op, View[] in, View[] out) {
        Shape shape = in[0].shape();
        int dim = shape.axis(op.dim());
        int extent = shape.rank() == 0 ? 1 : shape.dim(dim);
        int lines = extent == 0 ? 0 : shape.intSize() / extent;
        int[] launch = {
            lines,
            Places.at(in[0]),
            Places.at(out[0]),
            extent,
            shape.product(dim + 1, shape.rank()),
            op.reverse() ? 1 : 0
        };
        cumSum.launch(lines, launch);
    }

    // p: n, from, to, extent, distance of a line's elements, start, step, elements of a line

    private static void kUnslice(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int extent = p.get(3);
            int inner = p.get(4);
            int step = p.get(6);
            int count = p.get(7);
            int row = i / inner;
            int outer = row / extent;
            int after = row - outer * extent - p.get(5);
            int number = after / step;
            float y = 0f;
            if (after >= 0 && number * step == after && number < count) {
                y = f.get(p.get(1) + (outer * count + number) * inner + i - row * inner);
            }
            f.set(p.get(2) + i, y);
        }
    }

    // p: n, from, to, extent, distance of a line's elements, step, dilation, windows, their size

    /// A thread an element of the result, which adds up the windows that it lies in.
    private static void kFold(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int extent = p.get(3);
            int inner = p.get(4);
            int step = p.get(5);
            int windows = p.get(7);
            int size = p.get(8);
            int row = i / inner;
            int outer = row / extent;
            int column = i - row * inner;
            int after = row - outer * extent;
            float sum = 0f;
            for (int j = 0; j < size; j++) {
                int window = after / step;
                if (after >= 0 && window * step == after && window < windows) {
                    int line = (outer * windows + window) * inner + column;
                    sum += f.get(p.get(1) + line * size + j);
                }
                after -= p.get(6);
            }
            f.set(p.get(2) + i, sum);
        }
    }

    // p: n, from, to, rows, columns, diagonal, whether the lower triangle is kept

    private static void kTriangle(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int columns = p.get(4);
            int line = i / columns;
            int above = i - line * columns - line % p.get(3) - p.get(5);
            if (p.get(6) == 1) {
                above = -above;
            }
            float y = 0f;
            if (above >= 0) {
                y = f.get(p.get(1) + i);
            }
            f.set(p.get(2) + i, y);
        }
    }

    // p: lines, from, to, extent, distance of a line's elements, whether from the end

    /// A thread a line; what rounding loses is carried along (Kahan, 1965), for lines may be long.
    private static void kCumSum(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int line = c.globalIdx;
        if (line < p.get(0)) {
            int extent = p.get(3);
            int inner = p.get(4);
            int at = line / inner * extent * inner + line % inner;
            int step = inner;
            if (p.get(5) == 1) {
                at += (extent - 1) * inner;
                step = -inner;
            }
            float sum = 0f;
            float lost = 0f;
            for (int j = 0; j < extent; j++) {
                float x = f.get(p.get(1) + at) - lost;
                float next = sum + x;
                lost = (next - sum) - x;
                sum = next;
                f.set(p.get(2) + at, sum);
                at += step;
            }
        }
    }
}
