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

/// Rotary position embedding, a thread a pair of channels; turning back is its gradient.
final class RopeKernels {
    private static final String NAME = "rope";
    private static final int LOCAL = 64;

    private final PanagradDevice device;
    private final Program rope;

    RopeKernels(PanagradDevice device) {
        this.device = device;
        rope = device.programs().add("rope", LOCAL, RopeKernels::kRope);
    }

    void register(KernelTable table) {
        table.add(
                Rope.class,
                new RopeKernel(),
                (op, in) ->
                        in[0].dtype() == DType.F32
                                && in[1].dtype() == DType.F32
                                && in[2].dtype() == DType.F32
                                && in[3].dtype() == DType.I32);
    }

    private final class RopeKernel implements Kernel<Rope> {
        @Override
        public void run(Rope op, View[] in, View[] out) {
            int half = in[0].dim(3) / 2;
            int n = in[0].size() / 2;
            int[] numbers = {
                n,
                Places.at(in[0]),
                Places.at(in[1]),
                Places.at(in[2]),
                Places.at(in[3]),
                Places.at(out[0]),
                half,
                in[0].dim(2),
                in[3].size(),
                in[1].dim(0),
                device.faults().at(),
                device.faults().number(NAME)
            };
            rope.launch(n, numbers, op.inverse() ? -1f : 1f);
        }
    }

    // p: pairs, x, cos, sin, positions, result, half of the channels, heads, how many positions
    // (they
    // repeat for each sequence), rows of the table, where a fault is noted, the op's number there;
    // r: the sign of the angle

    private static void kRope(KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            int half = p.get(6);
            int channel = i % half;
            int row = i / half;
            int position = n.get(p.get(4) + row / p.get(7) % p.get(8));
            int at = 2 * half * row + channel;
            if (position >= 0 && position < p.get(9)) {
                float cos = f.get(p.get(2) + position * half + channel);
                float sin = f.get(p.get(3) + position * half + channel) * r.get(0);
                float a = f.get(p.get(1) + at);
                float b = f.get(p.get(1) + at + half);
                f.set(p.get(5) + at, a * cos - b * sin);
                f.set(p.get(5) + at + half, b * cos + a * sin);
            } else {
                Faults.note(n, p.get(10), p.get(11), position, p.get(9));
            }
        }
    }
}
