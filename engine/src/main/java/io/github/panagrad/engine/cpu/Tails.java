package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.V;

import java.util.Arrays;

/// Copies of what is left of a row when its whole vectors are done, padded to a vector.
///
/// Loops run a second time, over such copies, instead of repeating their body under a mask. C2
/// stops inlining when a method has grown too many nodes, and boxes what it leaves out: with the
/// body there twice, the larger functions ran thirty times slower (ADR 021).
final class Tails {
    private Tails() {}

    /// Copies n elements, fewer than a vector, and pads with zeros.
    static float[] padded(float[] x, int at, int n) {
        float[] copy = new float[V];
        System.arraycopy(x, at, copy, 0, n);
        return copy;
    }

    /// Copies n elements, fewer than a vector, and pads with a value.
    static float[] padded(float[] x, int at, int n, float padding) {
        float[] copy = padded(x, at, n);
        Arrays.fill(copy, n, V, padding);
        return copy;
    }
}
