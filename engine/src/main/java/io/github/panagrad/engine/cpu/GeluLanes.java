package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static jdk.incubator.vector.FloatVector.broadcast;

import jdk.incubator.vector.FloatVector;

/// What GELU and its tanh form (Hendrycks and Gimpel, 2016) need besides [VectorMath].
final class GeluLanes {
    /// 2·√(2/π): twice, since ½(1 + tanh u) = σ(2u).
    private static final float SLOPE = 1.5957691216f;

    private static final float CUBIC = 0.044715f;

    private GeluLanes() {}

    /// σ(2u) with u = √(2/π)·(x + 0.044715x³).
    static FloatVector gate(FloatVector x) {
        return VectorMath.sigmoid(twice(x));
    }

    /// The derivative of x·σ(2u): s + x·s·(1 − s)·2u′.
    static FloatVector gateSlope(FloatVector x) {
        FloatVector e = VectorMath.expHeld(twice(x).neg());
        FloatVector s = broadcast(F, 1f).div(e.add(1f));
        FloatVector slope = x.mul(x).fma(broadcast(F, 3 * SLOPE * CUBIC), broadcast(F, SLOPE));
        return s.fma(e.mul(s).mul(x).mul(slope), s);
    }

    private static FloatVector twice(FloatVector x) {
        return x.mul(x.mul(x).fma(broadcast(F, SLOPE * CUBIC), broadcast(F, SLOPE)));
    }

    /// The derivative of x·Φ(x): Φ(x) + x·φ(x).
    static FloatVector exactSlope(FloatVector x) {
        return x.fma(VectorMath.normalPdf(x), VectorMath.normalCdf(x));
    }
}
