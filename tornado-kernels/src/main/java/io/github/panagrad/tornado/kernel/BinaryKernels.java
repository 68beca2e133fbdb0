package io.github.panagrad.tornado.kernel;

import static io.github.panagrad.tornado.kernel.Places.RANK;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.op.Add;
import io.github.panagrad.engine.op.Binary;
import io.github.panagrad.engine.op.Div;
import io.github.panagrad.engine.op.Maximum;
import io.github.panagrad.engine.op.Minimum;
import io.github.panagrad.engine.op.Mul;
import io.github.panagrad.engine.op.Pow;
import io.github.panagrad.engine.op.Sub;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Elementwise functions of two operands, broadcast, of any strides; on I32 sums, differences and
/// products only.
///
/// A thread an element, which it alone reads and writes: the result may be an operand of its shape.
final class BinaryKernels {
    private static final int LOCAL = 128;

    private static final int ADD = 0;
    private static final int SUB = 1;
    private static final int MUL = 2;
    private static final int DIV = 3;
    private static final int MINIMUM = 4;
    private static final int MAXIMUM = 5;
    private static final int POW = 6;

    /// Where a launch's numbers of the walk begin.
    private static final int WALK = 5;

    private static final int EXTENTS = WALK + 1;
    private static final int A_STRIDES = EXTENTS + RANK;
    private static final int B_STRIDES = A_STRIDES + RANK;

    private final Program floats;
    private final Program ints;

    BinaryKernels(Programs programs) {
        floats = programs.add("binary", LOCAL, BinaryKernels::kBinary);
        ints = programs.add("binaryInts", LOCAL, BinaryKernels::kBinaryInts);
    }

    void register(KernelTable table) {
        add(table, Add.class, ADD);
        add(table, Sub.class, SUB);
        add(table, Mul.class, MUL);
        add(table, Div.class, DIV);
        add(table, Minimum.class, MINIMUM);
        add(table, Maximum.class, MAXIMUM);
        add(table, Pow.class, POW);
    }

    private <O extends Binary> void add(KernelTable table, Class<O> op, int function) {
        table.add(op, new BinaryKernel(function), (o, in) -> suits(function, in));
    }

    private static boolean suits(int function, View[] in) {
        DType dtype = in[0].dtype();
        boolean known = dtype == DType.F32 || (dtype == DType.I32 && function <= MUL);
        return known && in[1].dtype() == dtype && Walk.suits(in);
    }

    private final class BinaryKernel implements StridedKernel<Binary> {
        private final int function;

        BinaryKernel(int function) {
            this.function = function;
        }

        @Override
        public void run(Binary op, View[] in, View[] out) {
            Walk walk = Walk.of(out[0].shape(), in);
            int[] launch =
                    walk.after(
                            walk.n(),
                            Places.at(in[0]),
                            Places.at(in[1]),
                            Places.at(out[0]),
                            function);
            Program program = out[0].dtype() == DType.F32 ? floats : ints;
            program.launch(walk.n(), launch);
        }
    }

    // p: n, a, b, to, function, rank, extents, strides of a, strides of b

    private static void kBinary(KernelContext c, FloatArray f, IntArray n, IntArray p) {
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
            float y = a;
            switch (p.get(4)) {
                case ADD -> y = a + b;
                case SUB -> y = a - b;
                case MUL -> y = a * b;
                case DIV -> y = a / b;
                case MINIMUM -> {
                    if (b < a) {
                        y = b;
                    }
                    if (Float.isNaN(b)) {
                        y = b;
                    }
                }
                case MAXIMUM -> {
                    if (b > a) {
                        y = b;
                    }
                    if (Float.isNaN(b)) {
                        y = b;
                    }
                }
                default -> y = TornadoMath.pow(a, b);
            }
            f.set(p.get(3) + i, y);
        }
    }

    private static void kBinaryInts(KernelContext c, FloatArray f, IntArray n, IntArray p) {
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
            int y = a * b;
            switch (p.get(4)) {
                case ADD -> y = a + b;
                case SUB -> y = a - b;
                default -> {}
            }
            n.set(p.get(3) + i, y);
        }
    }
}
