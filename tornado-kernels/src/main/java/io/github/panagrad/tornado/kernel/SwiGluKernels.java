package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.op.SwiGlu;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// The gate of a feed-forward block and its gradients, a thread an element.
final class SwiGluKernels {
    private static final int LOCAL = 64;

    private final Program gate;
    private final Program gradients;

    SwiGluKernels(Programs programs) {
        gate = programs.add("swiglu", LOCAL, SwiGluKernels::kGate);
        gradients = programs.add("swigluGradients", LOCAL, SwiGluKernels::kGradients);
    }

    void register(KernelTable table) {
        table.add(SwiGlu.class, new GateKernel(), (op, in) -> KernelTable.floats(in));
        table.add(SwiGlu.Grad.class, new GradientKernel(), (op, in) -> KernelTable.floats(in));
    }

    private final class GateKernel implements Kernel<SwiGlu> {
        @Override
        public void run(SwiGlu op, View[] in, View[] out) {
            int n = out[0].size();
            gate.launch(n, new int[] {n, Places.at(in[0]), Places.at(in[1]), Places.at(out[0])});
        }
    }

    private final class GradientKernel implements Kernel<SwiGlu.Grad> {
        @Override
        public void run(SwiGlu.Grad op, View[] in, View[] out) {
            int n = in[0].size();
            int[] numbers = {
                n,
                Places.at(in[0]),
                Places.at(in[1]),
                Places.at(in[2]),
                op.dGate() ? Places.at(out[0]) : -1,
                op.dUp() ? Places.at(out[out.length - 1]) : -1
            };
            gradients.launch(n, numbers);
        }
    }

    // p: n, gate, up, result

    private static void kGate(KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            float x = f.get(p.get(1) + i);
            f.set(p.get(3) + i, x * DeviceMath.sigmoid(x) * f.get(p.get(2) + i));
        }
    }

    // p: n, gate, up, dy, gradient of the gate, gradient of up, each negative if it is not wanted

    private static void kGradients(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            float x = f.get(p.get(1) + i);
            float dy = f.get(p.get(3) + i);
            float share = DeviceMath.sigmoid(x);
            if (p.get(4) >= 0) {
                float slope = share * (1f + x * (1f - share));
                f.set(p.get(4) + i, dy * f.get(p.get(2) + i) * slope);
            }
            if (p.get(5) >= 0) {
                f.set(p.get(5) + i, dy * x * share);
            }
        }
    }
}
