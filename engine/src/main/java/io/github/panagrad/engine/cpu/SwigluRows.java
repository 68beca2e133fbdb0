package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static jdk.incubator.vector.FloatVector.broadcast;

import io.github.panagrad.engine.ground.Parallel;
import jdk.incubator.vector.FloatVector;
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
                (from, to) -> {
                    int whole = F.loopBound(to - from);
                    int g = go + from;
                    int u = uo + from;
                    int d = dyo + from;
                    range(gate, g, up, u, dy, d, dGate, dgo + from, dUp, duo + from, whole);
                    int rest = to - from - whole;
                    if (rest > 0) {
                        float[] x = Tails.padded(gate, g + whole, rest);
                        float[] y = Tails.padded(up, u + whole, rest);
                        float[] z = Tails.padded(dy, d + whole, rest);
                        range(x, 0, y, 0, z, 0, x, 0, y, 0, V);
                        if (dGate != null) {
                            System.arraycopy(x, 0, dGate, dgo + from + whole, rest);
                        }
                        if (dUp != null) {
                            System.arraycopy(y, 0, dUp, duo + from + whole, rest);
                        }
                    }
                });
    }

    /// Works on n elements, whole vectors.
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
        for (int i = 0; i < n; i += V) {
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
    }
}
