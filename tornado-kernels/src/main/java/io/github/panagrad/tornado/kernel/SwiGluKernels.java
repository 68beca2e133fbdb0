package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.op.SwiGlu;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// The gate of a feed-forward block and its gradients, element by element.
final class SwiGluKernels {
    private static final int LOCAL = 64;

    private final Program forward;
    private final Program backward;

    SwiGluKernels(Programs programs) {
        forward = programs.add("swiGlu", LOCAL, SwiGluKernels::kSwiGlu);
        backward = programs.add("swiGluGrad", LOCAL, SwiGluKernels::kSwiGluGrad);
    }

    void register(KernelTable table) {
        table.add(SwiGlu.class, this::forward, (op, in) -> KernelTable.floats(in));
        table.add(SwiGlu.Grad.class, this::backward, (op, in) -> KernelTable.floats(in));
    }

    private void forward(SwiGlu op, View[] in, View[] out) {
        int n = out[0].size();
        forward.launch(n, new int[] {n, Places.at(in[0]), Places.at(in[1]), Places.at(out[0])});
    }

    private void backward(SwiGlu.Grad op, View[] in, View[] out) {
        int n = in[0].size();
        backward.launch(
                n,
                new int[] {
                    n,
                    Places.at(in[0]),
                    Places.at(in[1]),
                    Places.at(in[2]),
                    op.dGate() ? Places.at(out[0]) : -1,
                    op.dUp() ? Places.at(out[out.length - 1]) : -1
                });
    }

    // p: n, gate, up, y

    private static void kSwiGlu(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            float gate = f.get(p.get(1) + i);
            f.set(p.get(3) + i, gate * DeviceMath.sigmoid(gate) * f.get(p.get(2) + i));
        }
    }

    // p: n, gate, up, dy, gradient of gate, of up (negative if not wanted)

    private static void kSwiGluGrad(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            float gate = f.get(p.get(1) + i);
            float d = f.get(p.get(3) + i);
            float open = DeviceMath.sigmoid(gate);
            if (p.get(4) >= 0) {
                float slope = open * (1f + gate * (1f - open));
                f.set(p.get(4) + i, d * f.get(p.get(2) + i) * slope);
            }
            if (p.get(5) >= 0) {
                f.set(p.get(5) + i, d * gate * open);
            }
        }
    }
}
