package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.VectorOperators.ABS;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LE;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.NE;
import static jdk.incubator.vector.VectorOperators.UGE;
import static jdk.incubator.vector.VectorOperators.XOR;

import java.util.function.DoubleUnaryOperator;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// Transcendental functions on vectors of floats.
///
/// Not the JDK's [FloatVector#lanewise] forms: those call another library in compiled code than in
/// the interpreter, so their bits change when the JIT compiler comes by, and they are slower (exp
/// 0.32 against 0.24 ns an element, AVX-512). The polynomials were fitted for the least relative
/// error (Lawson's iteration; for the quotients with Sanathanan and Koerner's linearisation);
/// evaluated in floats with fused multiply-adds the results are within the errors given at each.
///
/// Infinities, NaN and signed zeros go where they go in [Math].
///
/// Constants are broadcast by the JDK's method, never by one of our own: the JDK's is inlined at
/// any size of the caller, ours no more once C2 counts 18,000 nodes, some forty vector operations
/// (ADR 021).
final class VectorMath {
    private static final float LOG2_E = 1.44269504f;

    /// ln 2 in two parts, the first short enough for whole multiples of it to be exact.
    private static final float LN2_HIGH = 0.693145752f;

    private static final float LN2_LOW = 1.42860677e-6f;

    /// 1.5·2²³: adding it leaves the nearest integer in the low bits of the sum.
    private static final float ROUND = 12582912f;

    /// The same with the exponent's bias on top: the low bits, moved up by 23, are 2ⁿ.
    private static final float ROUND_BIASED = ROUND + 127f;

    /// exp of less is below the smallest normal float.
    private static final float LOWEST = -87.33654f;

    private static final float SQRT_HALF = 0.70710678f;
    private static final float SQRT_2_MINUS_1 = 0.41421356f;
    private static final float INV_SQRT_2PI = 0.3989422804f;

    private VectorMath() {}

    /// Returns eˣ; relative error below 1e-7, denormal results included.
    static FloatVector exp(FloatVector x) {
        if (x.lanewise(ABS).compare(GT, -LOWEST).anyTrue()) {
            return expWide(x);
        }
        return expNormal(x);
    }

    /// Returns eˣ for x ≤ 0, NaN included; results below 1.2e-38 become zero.
    static FloatVector expNonPositive(FloatVector x) {
        return expNormal(x).blend(0f, x.compare(LT, LOWEST));
    }

    /// Returns eˣ with x held within ±87.3: what the slope of a logistic function needs, without an
    /// overflow.
    ///
    /// With e of −x, σ(x) is 1/(1 + e), and 1 − σ(x) is e·σ(x), free of cancellation.
    static FloatVector expHeld(FloatVector x) {
        FloatVector held = x.blend(LOWEST, x.compare(LT, LOWEST));
        return expNormal(held.blend(-LOWEST, held.compare(GT, -LOWEST)));
    }

    /// Returns eˣ with x held above −87.3, infinity from 88.4 on: what a logistic function divides
    /// by, so that it is 0 at −∞, and x·σ(x) no number there.
    private static FloatVector expOrInfinity(FloatVector x) {
        FloatVector held = x.blend(LOWEST, x.compare(LT, LOWEST));
        return expNormal(held.blend(89f, held.compare(GT, 89f)));
    }

    /// eˣ = 2ⁿ·eʳ with |r| ≤ ln2/2, for results that are normal floats.
    private static FloatVector expNormal(FloatVector x) {
        FloatVector rounded = x.fma(broadcast(F, LOG2_E), broadcast(F, ROUND_BIASED));
        FloatVector power = rounded.reinterpretAsInts().lanewise(LSHL, 23).reinterpretAsFloats();
        return expFraction(x, rounded.sub(ROUND_BIASED)).mul(power);
    }

    /// The same for all x: 2ⁿ as a product of two powers, as n may exceed a float's exponents.
    private static FloatVector expWide(FloatVector x) {
        FloatVector held = x.blend(-104f, x.compare(LT, -104f));
        held = held.blend(89f, held.compare(GT, 89f));
        FloatVector rounded = held.fma(broadcast(F, LOG2_E), broadcast(F, ROUND));
        IntVector n = rounded.reinterpretAsInts();
        IntVector half = n.lanewise(ASHR, 1);
        FloatVector power = half.add(127).lanewise(LSHL, 23).reinterpretAsFloats();
        FloatVector rest = n.sub(half).add(127).lanewise(LSHL, 23).reinterpretAsFloats();
        return expFraction(held, rounded.sub(ROUND)).mul(power).mul(rest);
    }

    private static FloatVector expFraction(FloatVector x, FloatVector n) {
        FloatVector r = n.fma(broadcast(F, -LN2_LOW), n.fma(broadcast(F, -LN2_HIGH), x));
        FloatVector p = broadcast(F, 1.3814579e-3f).fma(r, broadcast(F, 8.3687256e-3f));
        p =
                p.fma(r, broadcast(F, 4.1668389e-2f))
                        .fma(r, broadcast(F, 0.16666521f))
                        .fma(r, broadcast(F, 0.49999993f));
        return p.fma(r, broadcast(F, 1f)).fma(r, broadcast(F, 1f));
    }

    /// Returns the natural logarithm; relative error below 1.2e-7, denormal arguments included.
    static FloatVector log(FloatVector x) {
        IntVector bits = x.reinterpretAsInts();
        if (bits.sub(0x00800000).compare(UGE, 0x7F000000).anyTrue()) {
            return logWide(x);
        }
        return logNormal(x, broadcast(F, 0f));
    }

    /// log x + scale·ln2 for normal positive x.
    private static FloatVector logNormal(FloatVector x, FloatVector scale) {
        IntVector bits = x.reinterpretAsInts();
        IntVector exponent = bits.sub(Float.floatToRawIntBits(SQRT_HALF)).lanewise(ASHR, 23);
        FloatVector f = bits.sub(exponent.lanewise(LSHL, 23)).reinterpretAsFloats().sub(1f);
        FloatVector e = ((FloatVector) exponent.convert(I2F, 0)).add(scale);
        return logFraction(f, e);
    }

    /// e·ln2 + log(1 + f) for √½ ≤ 1 + f ≤ √2.
    private static FloatVector logFraction(FloatVector f, FloatVector e) {
        FloatVector p =
                broadcast(F, -7.63443e-2f)
                        .fma(f, broadcast(F, 0.1276155f))
                        .fma(f, broadcast(F, -0.13160195f));
        p =
                p.fma(f, broadcast(F, 0.14201762f))
                        .fma(f, broadcast(F, -0.16623356f))
                        .fma(f, broadcast(F, 0.20001227f));
        p = p.fma(f, broadcast(F, -0.25000821f)).fma(f, broadcast(F, 0.33333332f));
        FloatVector square = f.mul(f);
        FloatVector low = p.mul(f).mul(square).add(e.mul(LN2_LOW));
        low = square.fma(broadcast(F, -0.5f), low);
        return e.fma(broadcast(F, LN2_HIGH), f.add(low));
    }

    private static FloatVector logWide(FloatVector x) {
        var small = x.compare(LT, Float.MIN_NORMAL);
        FloatVector scaled = x.blend(x.mul(0x1p25f), small);
        FloatVector y = logNormal(scaled, broadcast(F, 0f).blend(-25f, small));
        y = y.blend(x, x.compare(GE, Float.POSITIVE_INFINITY).or(x.compare(NE, x)));
        y = y.blend(Float.NEGATIVE_INFINITY, x.compare(LE, 0f));
        return y.blend(Float.NaN, x.compare(LT, 0f));
    }

    /// Returns log(1 + eˣ) without overflow; relative error below 2e-7.
    static FloatVector softplus(FloatVector x) {
        FloatVector u = expNonPositive(x.lanewise(ABS).neg());
        var large = u.compare(GT, SQRT_2_MINUS_1);
        FloatVector f = u.blend(u.sub(1f).mul(0.5f), large);
        FloatVector log1p = logFraction(f, broadcast(F, 0f).blend(1f, large));
        return x.blend(0f, x.compare(LT, 0f)).add(log1p);
    }

    /// Returns 1 / (1 + e⁻ˣ); relative error below 2e-7, 0 from −88.4 down.
    static FloatVector sigmoid(FloatVector x) {
        return broadcast(F, 1f).div(expOrInfinity(x.neg()).add(1f));
    }

    /// Returns x·σ(x), with one operation less than by [#sigmoid].
    static FloatVector silu(FloatVector x) {
        return x.div(expOrInfinity(x.neg()).add(1f));
    }

    /// Returns the derivative of [#silu]: s + x·s·(1 − s) with s = σ(x).
    static FloatVector siluSlope(FloatVector x) {
        FloatVector e = expHeld(x.neg());
        FloatVector s = broadcast(F, 1f).div(e.add(1f));
        return s.fma(x.mul(e.mul(s)), s);
    }

    /// Returns the hyperbolic tangent, as x·P(x²)/Q(x²); relative error below 3e-7, never beyond
    /// ±1.
    static FloatVector tanh(FloatVector x) {
        FloatVector h = x.lanewise(ABS);
        h = h.blend(9.02f, h.compare(GT, 9.02f));
        FloatVector u = h.mul(h);
        FloatVector p =
                broadcast(F, 1.3319025e-8f)
                        .fma(u, broadcast(F, 2.0583450e-5f))
                        .fma(u, broadcast(F, 3.4940328e-3f));
        p = p.fma(u, broadcast(F, 0.13379716f)).fma(u, broadcast(F, 1f));
        FloatVector q =
                broadcast(F, 7.7620010e-7f)
                        .fma(u, broadcast(F, 3.2830898e-4f))
                        .fma(u, broadcast(F, 2.5871067e-2f));
        q = q.fma(u, broadcast(F, 0.46713032f)).fma(u, broadcast(F, 1f));
        return withSign(h.mul(p).div(q), x);
    }

    /// Returns the error function, as x·P(x²)/Q(x²); relative error below 3e-7, never beyond ±1.
    static FloatVector erf(FloatVector x) {
        FloatVector h = x.lanewise(ABS);
        return withSign(erfInside(h.blend(3.93f, h.compare(GT, 3.93f))), x);
    }

    /// The error function for |h| ≤ 3.93, from where on it is ±1.
    private static FloatVector erfInside(FloatVector h) {
        FloatVector u = h.mul(h);
        FloatVector p =
                broadcast(F, 2.0419817e-6f)
                        .fma(u, broadcast(F, 2.8480768e-4f))
                        .fma(u, broadcast(F, 3.7795603e-3f));
        p =
                p.fma(u, broadcast(F, 5.2790135e-2f))
                        .fma(u, broadcast(F, 0.19078266f))
                        .fma(u, broadcast(F, 1.1283791f));
        FloatVector q =
                broadcast(F, 3.8004141e-5f)
                        .fma(u, broadcast(F, 1.1652012e-3f))
                        .fma(u, broadcast(F, 1.4997339e-2f));
        q =
                q.fma(u, broadcast(F, 0.11425704f))
                        .fma(u, broadcast(F, 0.50240945f))
                        .fma(u, broadcast(F, 1f));
        return h.mul(p).div(q);
    }

    /// Holds a magnitude to 1, which rounding may have exceeded, and gives it the sign of x.
    private static FloatVector withSign(FloatVector magnitude, FloatVector x) {
        IntVector sign = x.reinterpretAsInts().and(0x80000000);
        FloatVector held = magnitude.blend(1f, magnitude.compare(GT, 1f));
        return held.reinterpretAsInts().or(sign).reinterpretAsFloats();
    }

    /// Returns the standard normal distribution function Φ(x); absolute error below 1.5e-7.
    static FloatVector normalCdf(FloatVector x) {
        FloatVector h = x.mul(SQRT_HALF);
        h = h.blend(3.93f, h.compare(GT, 3.93f));
        h = h.blend(-3.93f, h.compare(LT, -3.93f));
        FloatVector cdf = erfInside(h).fma(broadcast(F, 0.5f), broadcast(F, 0.5f));
        // Out there the sum's rounding is larger than Φ, and its sign may be wrong.
        return cdf.blend(0f, h.compare(LE, -3.93f));
    }

    /// Returns the standard normal density φ(x).
    static FloatVector normalPdf(FloatVector x) {
        return expNonPositive(x.mul(x).mul(-0.5f)).mul(INV_SQRT_2PI);
    }

    /// Returns the sine; absolute error below 1e-7.
    static FloatVector sin(FloatVector x) {
        return inTable(x) ? quarterWave(x, 0) : lanewise(x, Math::sin);
    }

    /// Returns the cosine; absolute error below 1e-7.
    static FloatVector cos(FloatVector x) {
        return inTable(x) ? quarterWave(x, 1) : lanewise(x, Math::cos);
    }

    /// Tells whether reduction by three-part multiples of π/2 is exact enough in every lane.
    private static boolean inTable(FloatVector x) {
        return x.lanewise(ABS).compare(LE, 8192f).allTrue();
    }

    /// sin(x + quarters·π/2).
    private static FloatVector quarterWave(FloatVector x, int quarters) {
        FloatVector rounded = x.fma(broadcast(F, 0.63661977f), broadcast(F, ROUND));
        FloatVector n = rounded.sub(ROUND);
        FloatVector r = n.fma(broadcast(F, -1.5707964f), x);
        r = n.fma(broadcast(F, 4.3711388e-8f), r);
        r = n.fma(broadcast(F, 1.7151245e-15f), r);
        FloatVector u = r.mul(r);
        FloatVector s =
                broadcast(F, -1.9515197e-4f)
                        .fma(u, broadcast(F, 8.3321602e-3f))
                        .fma(u, broadcast(F, -0.16666655f));
        s = s.mul(u).fma(r, r);
        FloatVector c =
                broadcast(F, 2.4433059e-5f)
                        .fma(u, broadcast(F, -1.3887315e-3f))
                        .fma(u, broadcast(F, 4.1666646e-2f));
        c = c.mul(u).sub(0.5f).fma(u, broadcast(F, 1f));
        IntVector quarter = rounded.reinterpretAsInts().add(quarters);
        var odd = quarter.lanewise(LSHL, 31).compare(LT, 0).cast(F);
        IntVector sign = quarter.and(2).lanewise(LSHL, 30);
        return s.blend(c, odd).reinterpretAsInts().lanewise(XOR, sign).reinterpretAsFloats();
    }

    private static FloatVector lanewise(FloatVector x, DoubleUnaryOperator f) {
        float[] lanes = x.toArray();
        for (int i = 0; i < lanes.length; i++) {
            lanes[i] = (float) f.applyAsDouble(lanes[i]);
        }
        return FloatVector.fromArray(F, lanes, 0);
    }
}
