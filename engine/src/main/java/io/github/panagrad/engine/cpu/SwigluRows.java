package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static jdk.incubator.vector.FloatVector.broadcast;

import io.github.panagrad.engine.ground.Parallel;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.jspecify.annotations.Nullable;

/// The two gradients of y = silu(gate)·up in one pass; forward is [BinaryFn#SWIGLU].
final class SwigluRows {
    private SwigluRows() {}

    /// Sets dGate = dy·up·silu′(gate) and dUp = dy·silu(gate), over n contiguous elements,
    /// whichever of them is not null.
    ///
    /// Results may overwrite operands at the same offsets.
    static void backward(
            float[] gate,
            int go,
            float[] up,
            int uo,
            float[] dy,
            int dyo,
            float @Nullable [] dGate,
            int dgo,
            float @Nullable [] dUp,
            int duo,
            int n) {
        Parallel.forRange(
                n,
                Elementwise.GRAIN / 2,
                (from, to) ->
                        range(
                                gate,
                                go + from,
                                up,
                                uo + from,
                                dy,
                                dyo + from,
                                dGate,
                                dgo + from,
                                dUp,
                                duo + from,
                                to - from));
    }

    private static void range(
            float[] gate,
            int go,
            float[] up,
            int uo,
            float[] dy,
            int dyo,
            float @Nullable [] dGate,
            int dgo,
            float @Nullable [] dUp,
            int duo,
            int n) {
        int i = 0;
        for (; i <= n - V; i += V) {
            FloatVector x = FloatVector.fromArray(F, gate, go + i);
            FloatVector u = FloatVector.fromArray(F, up, uo + i);
            FloatVector d = FloatVector.fromArray(F, dy, dyo + i);
            FloatVector e = VectorMath.expHeld(x.neg());
            FloatVector s = broadcast(F, 1f).div(e.add(1f));
            FloatVector y = x.mul(s);
            // silu′ = s + x·s·(1 − s), with 1 − s = e·s.
            if (dGate != null) {
                y.fma(e.mul(s), s).mul(d).mul(u).intoArray(dGate, dgo + i);
            }
            if (dUp != null) {
                y.mul(d).intoArray(dUp, duo + i);
            }
        }
        if (i < n) {
            VectorMask<Float> rest = Lanes.first(n - i);
            FloatVector x = FloatVector.fromArray(F, gate, go + i, rest);
            FloatVector u = FloatVector.fromArray(F, up, uo + i, rest);
            FloatVector d = FloatVector.fromArray(F, dy, dyo + i, rest);
            FloatVector e = VectorMath.expHeld(x.neg());
            FloatVector s = broadcast(F, 1f).div(e.add(1f));
            FloatVector y = x.mul(s);
            if (dGate != null) {
                y.fma(e.mul(s), s).mul(d).mul(u).intoArray(dGate, dgo + i, rest);
            }
            if (dUp != null) {
                y.mul(d).intoArray(dUp, duo + i, rest);
            }
        }
    }
}
