package io.github.panagrad.tornado.kernel;

import static io.github.panagrad.tornado.kernel.Places.RANK;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.op.Compare;
import io.github.panagrad.engine.op.Logical;
import io.github.panagrad.engine.op.Where;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// What makes truth values, and what chooses by them; broadcast, of any strides.
final class CompareKernels {
    private static final int LOCAL = 128;

    private static final int EQ = 0;
    private static final int NE = 1;
    private static final int LT = 2;
    private static final int LE = 3;
    private static final int GT = 4;
    private static final int GE = 5;
    private static final int AND = 6;
    private static final int OR = 7;
    private static final int XOR = 8;

    /// Where a launch's numbers of the walk begin.
    private static final int WALK = 5;

    private static final int EXTENTS = WALK + 1;
    private static final int A_STRIDES = EXTENTS + RANK;
    private static final int B_STRIDES = A_STRIDES + RANK;
    private static final int MASK_STRIDES = B_STRIDES + RANK;

    private final Program floats;
    private final Program ints;
    private final Program where;

    CompareKernels(Programs programs) {
        floats = programs.add("compareFloats", LOCAL, CompareKernels::kCompareFloats);
        ints = programs.add("compareInts", LOCAL, CompareKernels::kCompareInts);
        where = programs.add("where", LOCAL, CompareKernels::kWhere);
    }

    void register(KernelTable table) {
        table.add(
                Compare.class,
                (StridedKernel<Compare>) (op, in, out) -> run(function(op.how()), in, out[0]),
                (op, in) -> onDevice(in));
        table.add(
                Logical.class,
                (StridedKernel<Logical>) (op, in, out) -> run(function(op.how()), in, out[0]),
                (op, in) -> onDevice(in));
        table.add(
                Where.class,
                new WhereKernel(),
                (op, in) ->
                        in[1].dtype() == DType.F32 && in[2].dtype() == DType.F32 && Walk.suits(in));
    }

    private static boolean onDevice(View[] in) {
        return in[0].dtype() == in[1].dtype() && Walk.suits(in);
    }

    private static int function(Compare.How how) {
        return switch (how) {
            case EQ -> EQ;
            case NE -> NE;
            case LT -> LT;
            case LE -> LE;
            case GT -> GT;
            case GE -> GE;
        };
    }

    private static int function(Logical.How how) {
        return switch (how) {
            case AND -> AND;
            case OR -> OR;
            case XOR -> XOR;
        };
    }

    private void run(int function, View[] in, View out) {
        Walk walk = Walk.of(out.shape(), in);
        Program program = in[0].dtype() == DType.F32 ? floats : ints;
        program.launch(
                walk.n(),
                walk.after(walk.n(), Places.at(in[0]), Places.at(in[1]), Places.at(out), function));
    }

    private final class WhereKernel implements StridedKernel<Where> {
        @Override
        public void run(Where op, View[] in, View[] out) {
            Walk walk = Walk.of(out[0].shape(), in[1], in[2], in[0]);
            where.launch(
                    walk.n(),
                    walk.after(
                            walk.n(),
                            Places.at(in[1]),
                            Places.at(in[2]),
                            Places.at(out[0]),
                            Places.at(in[0])));
        }
    }

    // p: n, a, b, to, function, rank, extents, strides of a, strides of b

    private static void kCompareFloats(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int rest = i;
            int at = p.get(1);
            int bt = p.get(2);
            for (int d = p.get(WALK) - 1; d > 0; d--) {
                int extent = p.get(EXTENTS + d);
                int above = rest / extent;
                int index = rest - above * extent;
                rest = above;
                at += index * p.get(A_STRIDES + d);
                bt += index * p.get(B_STRIDES + d);
            }
            float a = f.get(at + rest * p.get(A_STRIDES));
            float b = f.get(bt + rest * p.get(B_STRIDES));
            int function = p.get(4);
            int less = 0;
            if (a < b) {
                less = 1;
            }
            int greater = 0;
            if (a > b) {
                greater = 1;
            }
            int y = 1 - less - greater;
            switch (function) {
                case NE -> y = less + greater;
                case LT -> y = less;
                case LE -> y = 1 - greater;
                case GT -> y = greater;
                case GE -> y = 1 - less;
                default -> {}
            }
            // Said apart, for NaN may get lost in the comparisons above.
            int ordered = 1;
            if (Float.isNaN(a)) {
                ordered = 0;
            }
            if (Float.isNaN(b)) {
                ordered = 0;
            }
            if (ordered == 0) {
                y = 0;
                if (function == NE) {
                    y = 1;
                }
            }
            n.set(p.get(3) + i, y);
        }
    }

    private static void kCompareInts(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int rest = i;
            int at = p.get(1);
            int bt = p.get(2);
            for (int d = p.get(WALK) - 1; d > 0; d--) {
                int extent = p.get(EXTENTS + d);
                int above = rest / extent;
                int index = rest - above * extent;
                rest = above;
                at += index * p.get(A_STRIDES + d);
                bt += index * p.get(B_STRIDES + d);
            }
            int a = n.get(at + rest * p.get(A_STRIDES));
            int b = n.get(bt + rest * p.get(B_STRIDES));
            int less = 0;
            if (a < b) {
                less = 1;
            }
            int greater = 0;
            if (a > b) {
                greater = 1;
            }
            int y = 1 - less - greater;
            switch (p.get(4)) {
                case NE, XOR -> y = less + greater;
                case LT -> y = less;
                case LE -> y = 1 - greater;
                case GT -> y = greater;
                case GE -> y = 1 - less;
                case AND -> y = a & b;
                case OR -> y = a | b;
                default -> {}
            }
            n.set(p.get(3) + i, y);
        }
    }

    // p: n, a, b, to, mask, rank, extents, strides of a, strides of b, strides of the mask

    private static void kWhere(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int rest = i;
            int at = p.get(1);
            int bt = p.get(2);
            int mt = p.get(4);
            for (int d = p.get(WALK) - 1; d > 0; d--) {
                int extent = p.get(EXTENTS + d);
                int above = rest / extent;
                int index = rest - above * extent;
                rest = above;
                at += index * p.get(A_STRIDES + d);
                bt += index * p.get(B_STRIDES + d);
                mt += index * p.get(MASK_STRIDES + d);
            }
            float y = f.get(bt + rest * p.get(B_STRIDES));
            if (n.get(mt + rest * p.get(MASK_STRIDES)) != 0) {
                y = f.get(at + rest * p.get(A_STRIDES));
            }
            f.set(p.get(3) + i, y);
        }
    }
}
