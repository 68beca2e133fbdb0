package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.op.Concat;
import io.github.panagrad.engine.op.CumSum;
import io.github.panagrad.engine.op.Triangle;
import io.github.panagrad.engine.op.Unslice;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.PanagradDevice;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Kernels that put elements elsewhere: side by side, into a slice, a triangle; and running sums.
final class MoveKernels {
    private static final int LOCAL = 64;

    private final CopyKernels copies;
    private final Program triangle;
    private final Program cumSum;

    MoveKernels(Programs programs, CopyKernels copies) {
        this.copies = copies;
        triangle = programs.add("triangle", LOCAL, MoveKernels::kTriangle);
        cumSum = programs.add("cumSum", LOCAL, MoveKernels::kCumSum);
    }

    void register(KernelTable table) {
        table.add(Concat.class, new ConcatKernel(), (op, in) -> canConcat(in));
        table.add(Unslice.class, new UnsliceKernel(), (op, in) -> suits(in));
        table.add(Triangle.class, this::triangle, (op, in) -> KernelTable.floats(in));
        table.add(CumSum.class, this::cumSum, (op, in) -> KernelTable.floats(in));
    }

    private static boolean suits(View[] in) {
        return KernelTable.floats(in) && Walk.suits(in);
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
                copyInto(part, out[0], op.dim(), start, extent, 1);
                start += extent;
            }
        }
    }

    private final class UnsliceKernel implements StridedKernel<Unslice> {
        @Override
        public void run(Unslice op, View[] in, View[] out) {
            copies.fill(Places.at(out[0]), out[0].size(), 0f);
            copyInto(in[0], out[0], op.dim(), op.start(), in[0].dim(op.dim()), op.step());
        }
    }

    /// Copies a view to a slice of the result.
    private void copyInto(View part, View out, int dim, int start, int extent, int step) {
        Shape shape = part.shape();
        if (shape.intSize() == 0) {
            return;
        }
        Layout slice = out.layout().slice(dim, start, extent, step);
        View target = new View(out.storage(), slice);
        copies.copy(part, target);
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

    // p: n, from, to, rows, columns, diagonal, whether the lower triangle is kept

    private static void kTriangle(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
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
    private static void kCumSum(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
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
