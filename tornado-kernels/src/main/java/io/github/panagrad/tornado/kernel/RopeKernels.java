package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.op.Rope;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.Faults;
import io.github.panagrad.tornado.device.PanagradDevice;
import io.github.panagrad.tornado.device.Program;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Rotary position embedding in the rotate-half form: a thread a pair of channels.
final class RopeKernels {
    private static final int LOCAL = 64;

    private final PanagradDevice device;
    private final Program rope;

    RopeKernels(PanagradDevice device) {
        this.device = device;
        rope = device.programs().add("rope", LOCAL, RopeKernels::kRope);
    }

    void register(KernelTable table) {
        table.add(Rope.class, new RopeKernel(), (op, in) -> suits(in));
    }

    private static boolean suits(View[] in) {
        return in[0].dtype() == DType.F32
                && in[1].dtype() == DType.F32
                && in[2].dtype() == DType.F32
                && in[3].dtype() == DType.I32;
    }

    /// Reads x by its strides: it is often a part of one product for queries, keys and values.
    private final class RopeKernel implements Kernel<Rope> {
        @Override
        public boolean acceptsStrides(int i) {
            return i == 0;
        }

        @Override
        public void run(Rope op, View[] in, View[] out) {
            View x = in[0];
            int half = x.dim(3) / 2;
            int pairs = x.size() / 2;
            int[] numbers = {
                pairs,
                half,
                x.dim(2),
                x.dim(1),
                Places.at(x),
                x.stride(0),
                x.stride(1),
                x.stride(2),
                x.stride(3),
                Places.at(in[1]),
                Places.at(in[2]),
                Places.at(in[3]),
                in[3].shape().rank() == 1 ? 1 : 0,
                in[1].dim(0),
                Places.at(out[0]),
                device.faults().at(),
                device.faults().number(op.name())
            };
            rope.launch(pairs, numbers, op.inverse() ? -1f : 1f, Float.NaN);
        }
    }

    // p: pairs, pairs of a head, heads, tokens, x, its strides, cosines, sines, positions, whether
    // all
    // rows of the batch share them, positions of the tables, y, fault, op; r: direction, NaN

    private static void kRope(KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int half = p.get(1);
            int heads = p.get(2);
            int tokens = p.get(3);
            int j = i % half;
            int vector = i / half;
            int head = vector % heads;
            int token = vector / heads;
            int inRow = token % tokens;
            int from =
                    p.get(4)
                            + token / tokens * p.get(5)
                            + inRow * p.get(6)
                            + head * p.get(7)
                            + j * p.get(8);
            if (p.get(12) == 1) {
                token = inRow;
            }
            int position = n.get(p.get(11) + token);
            float cos = r.get(1);
            float sin = r.get(1);
            if (position < 0 || position >= p.get(13)) {
                Faults.note(n, p.get(15), p.get(16), position, p.get(13));
            } else {
                cos = f.get(p.get(9) + position * half + j);
                sin = f.get(p.get(10) + position * half + j) * r.get(0);
            }
            float a = f.get(from);
            float b = f.get(from + half * p.get(8));
            int to = p.get(14) + vector * 2 * half + j;
            f.set(to, a * cos - b * sin);
            f.set(to + half, b * cos + a * sin);
        }
    }
}
