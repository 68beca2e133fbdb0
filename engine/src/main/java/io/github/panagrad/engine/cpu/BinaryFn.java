package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LE;
import static jdk.incubator.vector.VectorOperators.LT;

import jdk.incubator.vector.FloatVector;

/// The functions of two elements that have a vector loop, with up to two parameters p and q.
///
/// Those named `…_GRAD` are derivatives times an incoming gradient d: of the argument x where the
/// name says nothing else, of the result y where that is cheaper and the op keeps it.
enum BinaryFn {
    ADD((a, b, p, q) -> a.add(b)),
    SUB((a, b, p, q) -> a.sub(b)),
    MUL((a, b, p, q) -> a.mul(b)),
    DIV((a, b, p, q) -> a.div(b)),
    /// NaN if either is.
    MIN((a, b, p, q) -> a.min(b)),
    /// NaN if either is.
    MAX((a, b, p, q) -> a.max(b)),
    /// silu(a)·b, the gate of Shazeer's SwiGLU (2020).
    SWIGLU((a, b, p, q) -> VectorMath.silu(a).mul(b)),

    SQRT_GRAD_OF_RESULT((y, d, p, q) -> d.mul(0.5f).div(y)),
    RSQRT_GRAD_OF_RESULT((y, d, p, q) -> d.mul(-0.5f).mul(y).mul(y).mul(y)),
    TANH_GRAD_OF_RESULT((y, d, p, q) -> d.mul(broadcast(F, 1f).sub(y.mul(y)))),
    SIGMOID_GRAD_OF_RESULT((y, d, p, q) -> d.mul(broadcast(F, 1f).sub(y)).mul(y)),
    /// y·(d − p), where p is the dot product of the row's y and d.
    SOFTMAX_GRAD_OF_RESULT((y, d, p, q) -> y.mul(d.sub(p))),
    /// d − p·exp(y), where p is the sum of the row's d.
    LOG_SOFTMAX_GRAD_OF_RESULT(
            (y, d, p, q) -> VectorMath.expNonPositive(y).fma(broadcast(F, -p), d)),
    ABSOLUTE_GRAD((x, d, p, q) -> signed(x, d)),
    SIN_GRAD((x, d, p, q) -> VectorMath.cos(x).mul(d)),
    COS_GRAD((x, d, p, q) -> VectorMath.sin(x).mul(d).neg()),
    ERF_GRAD((x, d, p, q) -> VectorMath.expNonPositive(x.mul(x).neg()).mul(1.1283791671f).mul(d)),
    SOFTPLUS_GRAD((x, d, p, q) -> VectorMath.sigmoid(x).mul(d)),
    /// d where x > 0.
    RELU_GRAD((x, d, p, q) -> d.blend(0f, x.compare(LE, 0f))),
    /// d where x > 0, else p·d.
    LEAKY_RELU_GRAD((x, d, p, q) -> d.blend(d.mul(p), x.compare(LE, 0f))),
    SILU_GRAD((x, d, p, q) -> VectorMath.siluSlope(x).mul(d)),
    GELU_GRAD((x, d, p, q) -> GeluLanes.exactSlope(x).mul(d)),
    GELU_TANH_GRAD((x, d, p, q) -> GeluLanes.gateSlope(x).mul(d)),
    /// d where p ≤ x ≤ q.
    CLAMP_GRAD((x, d, p, q) -> d.blend(0f, x.compare(LT, p).or(x.compare(GT, q))));

    private final Once<BinaryLoop> loop;

    BinaryFn(LaneLoops.Binary function) {
        loop = new Once<>(() -> LaneLoops.of(function));
    }

    /// Returns the function's loops.
    BinaryLoop loop() {
        return loop.get();
    }

    private static FloatVector signed(FloatVector x, FloatVector d) {
        FloatVector sign = x.blend(1f, x.compare(GT, 0f)).blend(-1f, x.compare(LT, 0f));
        return sign.mul(d);
    }
}
