package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.VectorOperators.ABS;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LE;
import static jdk.incubator.vector.VectorOperators.LT;

/// The functions of one element that have a vector loop, with up to two parameters p and q.
///
/// NaN goes through all of them. The loop of a function is defined when it is first asked for.
enum UnaryFn {
    EXP((x, p, q) -> VectorMath.exp(x)),
    LOG((x, p, q) -> VectorMath.log(x)),
    SQRT((x, p, q) -> x.sqrt()),
    RSQRT((x, p, q) -> broadcast(F, 1f).div(x.sqrt())),
    RECIPROCAL((x, p, q) -> broadcast(F, 1f).div(x)),
    SQUARE((x, p, q) -> x.mul(x)),
    CUBE((x, p, q) -> x.mul(x).mul(x)),
    ABSOLUTE((x, p, q) -> x.lanewise(ABS)),
    /// −1, 0 or 1.
    SIGN((x, p, q) -> x.blend(1f, x.compare(GT, 0f)).blend(-1f, x.compare(LT, 0f))),
    SIN((x, p, q) -> VectorMath.sin(x)),
    COS((x, p, q) -> VectorMath.cos(x)),
    TANH((x, p, q) -> VectorMath.tanh(x)),
    ERF((x, p, q) -> VectorMath.erf(x)),
    SIGMOID((x, p, q) -> VectorMath.sigmoid(x)),
    SOFTPLUS((x, p, q) -> VectorMath.softplus(x)),
    RELU((x, p, q) -> x.blend(0f, x.compare(LT, 0f))),
    /// x, or p·x below zero.
    LEAKY_RELU((x, p, q) -> x.blend(x.mul(p), x.compare(LT, 0f))),
    SILU((x, p, q) -> VectorMath.silu(x)),
    /// x·Φ(x).
    GELU((x, p, q) -> x.mul(VectorMath.normalCdf(x))),
    /// x·σ(2u), which is ½x·(1 + tanh u), with u = √(2/π)·(x + 0.044715x³).
    GELU_TANH((x, p, q) -> x.mul(GeluLanes.gate(x))),
    /// x held between p and q.
    CLAMP((x, p, q) -> x.blend(p, x.compare(LT, p)).blend(q, x.compare(GT, q))),
    /// 1 above p, else 0.
    STEP((x, p, q) -> x.mul(0f).blend(1f, x.compare(GT, p)).blend(0f, x.compare(LE, p))),
    /// p·x + q, rounded once.
    AFFINE((x, p, q) -> x.fma(broadcast(F, p), broadcast(F, q))),
    /// q·exp(x − p) for x ≤ p: the share of an element in the sum whose logarithm p is.
    SHIFTED_EXP((x, p, q) -> VectorMath.expNonPositive(x.sub(p)).mul(q));

    private final Once<UnaryLoop> loop;

    UnaryFn(LaneLoops.Unary function) {
        loop = new Once<>(() -> LaneLoops.of(function));
    }

    /// Returns the function's loop.
    UnaryLoop loop() {
        return loop.get();
    }
}
