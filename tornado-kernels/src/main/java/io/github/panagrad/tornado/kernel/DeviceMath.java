package io.github.panagrad.tornado.kernel;

import uk.ac.manchester.tornado.api.math.TornadoMath;

/// Functions that TornadoVM lacks, written so that it can compile them into kernels.
final class DeviceMath {
    private static final float SQRT_HALF = 0.70710678f;
    private static final float INV_SQRT_2PI = 0.3989422804f;

    private DeviceMath() {}

    /// Returns 1/(1 + e⁻ˣ).
    static float sigmoid(float x) {
        return 1f / (1f + TornadoMath.exp(-x));
    }

    /// Returns ln(1 + eˣ) without an overflow.
    static float softplus(float x) {
        float positive = x;
        if (x < 0f) {
            positive = 0f;
        }
        float e = TornadoMath.exp(-TornadoMath.abs(x));
        // ln(1 + e) by its series where 1 + e would round e away
        float tail = e * (1f - e * (0.5f - e * 0.33333334f));
        if (e > 1e-2f) {
            tail = TornadoMath.log(1f + e);
        }
        return positive + tail;
    }

    /// Returns the error function; relative error below 1e-6.
    ///
    /// Its Maclaurin series below 1, and the continued complement of Numerical Recipes' erfc
    /// (Press et al., §6.2, fractional error below 1.2e-7) beyond.
    static float erf(float x) {
        float z = TornadoMath.abs(x);
        float square = x * x;
        float small =
                1.1283791671f
                        * x
                        * (1f
                                - square
                                        * (0.33333333f
                                                - square
                                                        * (0.1f
                                                                - square
                                                                        * (0.023809524f
                                                                                - square
                                                                                        * (0.0046296296f
                                                                                                - square
                                                                                                        * (7.5757576e-4f
                                                                                                                - square
                                                                                                                        * (1.0683761e-4f
                                                                                                                                - square
                                                                                                                                        * 1.3227513e-5f)))))));
        float large = 1f - erfc(z);
        if (x < 0f) {
            large = -large;
        }
        float result = large;
        if (z < 1f) {
            result = small;
        }
        return result;
    }

    /// Returns 1 − erf(z) for z ≥ 0.
    private static float erfc(float z) {
        float t = 1f / (1f + 0.5f * z);
        float s = -0.82215223f + t * 0.17087277f;
        s = 1.48851587f + t * s;
        s = -1.13520398f + t * s;
        s = 0.27886807f + t * s;
        s = -0.18628806f + t * s;
        s = 0.09678418f + t * s;
        s = 0.37409196f + t * s;
        s = 1.00002368f + t * s;
        return t * TornadoMath.exp(-z * z - 1.26551223f + t * s);
    }

    /// Returns the standard normal distribution function Φ(x).
    static float normalCdf(float x) {
        float upper = 0.5f * erfc(TornadoMath.abs(x) * SQRT_HALF);
        float middle = 0.5f + 0.5f * erf(x * SQRT_HALF);
        float result = middle;
        if (x < -1.4142135f) {
            result = upper;
        }
        return result;
    }

    /// Returns the standard normal density φ(x).
    static float normalDensity(float x) {
        return INV_SQRT_2PI * TornadoMath.exp(-0.5f * x * x);
    }

    /// Returns 2·√(2/π)·(x + 0.044715·x³), what the tanh form of gelu takes the logistic function of.
    static float geluGate(float x) {
        return 1.5957691216f * (x + 0.044715f * x * x * x);
    }

    /// Returns the slope of [#geluGate].
    static float geluGateSlope(float x) {
        return 1.5957691216f * (1f + 0.134145f * x * x);
    }
}
