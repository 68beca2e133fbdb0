package io.github.panagrad.engine.cpu;

import java.util.Arrays;

/// Holds kernel results against plain loops in double precision.
final class Close {
    /// What surrounds a result, to see that a kernel writes nothing else.
    private static final float GUARD = 12345f;

    private Close() {}

    /// Returns an array of guard values to compute into.
    static float[] guarded(int n) {
        float[] y = new float[n];
        Arrays.fill(y, GUARD);
        return y;
    }

    /// Checks `exact.length` elements from `offset` to `tolerance` of the larger of 1 and the
    /// largest exact value, and that nothing else was written.
    static void check(String what, float[] y, int offset, double[] exact, double tolerance) {
        double scale = 1;
        for (double value : exact) {
            scale = Math.max(scale, Math.abs(value));
        }
        for (int i = 0; i < y.length; i++) {
            int k = i - offset;
            if (k < 0 || k >= exact.length) {
                require(y[i] == GUARD, what + ": wrote beside the result, at " + k);
            } else {
                double error = Math.abs(y[i] - exact[k]);
                require(
                        error <= tolerance * scale,
                        what + "[" + k + "] is " + y[i] + ", expected " + exact[k]);
            }
        }
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new AssertionError(message);
        }
    }
}
