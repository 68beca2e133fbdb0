package io.github.panagrad.tornado.kernel;

import static io.github.panagrad.tornado.kernel.Places.RANK;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.op.Cast;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Copies between places with any strides, also from one type to another; fills.
///
/// A thread an element: it takes the element's number apart into one index a dimension.
final class CopyKernels {
    private static final int LOCAL = 64;

    private final Program floats;
    private final Program ints;
    private final Program toInts;
    private final Program toFloats;
    private final Program widen;
    private final Program fill;

    CopyKernels(Programs programs) {
        floats = programs.add("copyFloats", LOCAL, CopyKernels::kCopyFloats);
        ints = programs.add("copyInts", LOCAL, CopyKernels::kCopyInts);
        toInts = programs.add("copyFloatsToInts", LOCAL, CopyKernels::kFloatsToInts);
        toFloats = programs.add("copyIntsToFloats", LOCAL, CopyKernels::kIntsToFloats);
        widen = programs.add("widenHalves", LOCAL, CopyKernels::kWiden);
        fill = programs.add("fill", LOCAL, CopyKernels::kFill);
    }

    void register(KernelTable table) {
        table.add(Cast.class, new CastKernel(), (op, in) -> canCast(in[0], op.dtype()));
    }

    private static boolean canCast(View in, DType to) {
        boolean whole = Halves.code(in.dtype()) == 0 && (to == DType.I32 || to == DType.BOOL);
        return in.shape().rank() <= RANK && (to == DType.F32 || whole);
    }

    private final class CastKernel implements StridedKernel<Cast> {
        @Override
        public boolean acceptsStored(int i) {
            return true;
        }

        @Override
        public void run(Cast op, View[] in, View[] out) {
            copy(in[0], out[0]);
        }
    }

    /// Copies a view of the shape of the result, or one that is repeated to it.
    void copy(View in, View out) {
        Shape shape = out.shape();
        copy(
                in.dtype(),
                Places.at(in),
                Places.strides(in, shape),
                shape,
                out.dtype(),
                Places.at(out),
                Places.strides(out, shape));
    }

    /// Copies as many elements as there are, row by row on both sides, whatever their shapes are.
    void copyContiguous(View in, View out) {
        int[] rows = new int[RANK];
        rows[RANK - 1] = 1;
        Shape line = Shape.of(in.size());
        copy(in.dtype(), Places.at(in), rows, line, out.dtype(), Places.at(out), rows);
    }

    /// Copies a block of elements from strides to strides.
    void copy(DType from, int at, int[] strides, Shape shape, DType to, int toAt, int[] toStrides) {
        boolean real = from == DType.F32;
        boolean realResult = to == DType.F32;
        Program program = real ? (realResult ? floats : toInts) : (realResult ? toFloats : ints);
        int code = Halves.code(from);
        if (code != 0) {
            program = widen;
        }
        int n = shape.intSize();
        int[] head = {n, at, toAt, to == DType.BOOL ? 1 : code};
        program.launch(n, Places.join(head, Places.extents(shape), strides, toStrides));
    }

    /// Sets n floats from a place on.
    void fill(int at, int n, float value) {
        fill.launch(n, new int[] {n, at}, value);
    }

    // p: n, from, to, whether results are 0 or 1 or what halves are widened, extents, strides,
    // strides of the result

    /// Returns where element i lies: its number taken apart into an index a dimension.
    ///
    /// @param first place of the first element
    /// @param strides where in p the strides begin
    private static int place(IntArray p, int i, int first, int strides) {
        int rest = i;
        int at = first;
        for (int d = RANK - 1; d >= 0; d--) {
            int extent = p.get(4 + d);
            at += rest % extent * p.get(strides + d);
            rest = rest / extent;
        }
        return at;
    }

    private static void kCopyFloats(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int at = place(p, i, p.get(1), 4 + RANK);
            int to = place(p, i, p.get(2), 4 + 2 * RANK);
            f.set(to, f.get(at));
        }
    }

    private static void kCopyInts(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int at = place(p, i, p.get(1), 4 + RANK);
            int to = place(p, i, p.get(2), 4 + 2 * RANK);
            int value = n.get(at);
            if (p.get(3) == 1 && value != 0) {
                value = 1;
            }
            n.set(to, value);
        }
    }

    private static void kFloatsToInts(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int at = place(p, i, p.get(1), 4 + RANK);
            int to = place(p, i, p.get(2), 4 + 2 * RANK);
            float value = f.get(at);
            int whole = (int) value;
            if (p.get(3) == 1) {
                whole = 1;
                if (value == 0f) {
                    whole = 0;
                }
            }
            n.set(to, whole);
        }
    }

    private static void kIntsToFloats(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int at = place(p, i, p.get(1), 4 + RANK);
            int to = place(p, i, p.get(2), 4 + 2 * RANK);
            f.set(to, (float) n.get(at));
        }
    }

    private static void kWiden(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int at = place(p, i, p.get(1), 4 + RANK);
            int to = place(p, i, p.get(2), 4 + 2 * RANK);
            f.set(to, Halves.widened(n, at, p.get(3)));
        }
    }

    private static void kFill(KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            f.set(p.get(1) + i, r.get(0));
        }
    }
}
