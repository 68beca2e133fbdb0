package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;

import io.github.panagrad.engine.ground.Parallel;
import jdk.incubator.vector.FloatVector;

/// Rotary position embedding in the rotate-half form (Su et al., 2021, in the layout of Hugging
/// Face): channel j turns with channel j + R/2, by the angle of the token's position.
///
/// Not the interleaved form, where neighbours turn. Backward is the turn by the opposite angle.
final class RopeRows {
    private RopeRows() {}

    /// Turns the first `rotary` channels of each of batch·middle·tokens·heads vectors of `size`
    /// channels, and copies the rest; y may be x at the same offset.
    ///
    /// Vector ((b·middle + m)·tokens + t)·heads + h has position `ids[io + b·tokens + t]`: middle
    /// is 1 for the layout [B, T, H, D], heads is 1 for [B, H, T, D].
    ///
    /// @param cos cosines, `rotary/2` for each position; `sin` alike
    /// @param sign 1 forward, −1 backward
    static void turn(
            float[] x,
            int xo,
            float[] cos,
            int co,
            float[] sin,
            int so,
            int[] ids,
            int io,
            int batch,
            int middle,
            int tokens,
            int heads,
            int size,
            int rotary,
            float sign,
            float[] y,
            int yo) {
        int half = rotary / 2;
        int groups = batch * middle * tokens;
        Parallel.forRange(
                groups,
                Math.max(1, Elementwise.GRAIN / Math.max(1, heads * size)),
                (from, to) -> {
                    for (int g = from; g < to; g++) {
                        int token = g / (middle * tokens) * tokens + g % tokens;
                        int angle = ids[io + token] * half;
                        for (int h = 0; h < heads; h++) {
                            int at = (g * heads + h) * size;
                            vector(
                                    x,
                                    xo + at,
                                    cos,
                                    co + angle,
                                    sin,
                                    so + angle,
                                    half,
                                    sign,
                                    y,
                                    yo + at);
                            if (size > rotary && (x != y || xo != yo)) {
                                int rest = at + rotary;
                                System.arraycopy(x, xo + rest, y, yo + rest, size - rotary);
                            }
                        }
                    }
                });
    }

    private static void vector(
            float[] x,
            int xo,
            float[] cos,
            int co,
            float[] sin,
            int so,
            int half,
            float sign,
            float[] y,
            int yo) {
        int j = 0;
        for (; j <= half - V; j += V) {
            FloatVector a = FloatVector.fromArray(F, x, xo + j);
            FloatVector b = FloatVector.fromArray(F, x, xo + half + j);
            FloatVector c = FloatVector.fromArray(F, cos, co + j);
            FloatVector s = FloatVector.fromArray(F, sin, so + j).mul(sign);
            a.mul(c).sub(b.mul(s)).intoArray(y, yo + j);
            b.mul(c).add(a.mul(s)).intoArray(y, yo + half + j);
        }
        if (j < half) {
            var rest = Lanes.first(half - j);
            FloatVector a = FloatVector.fromArray(F, x, xo + j, rest);
            FloatVector b = FloatVector.fromArray(F, x, xo + half + j, rest);
            FloatVector c = FloatVector.fromArray(F, cos, co + j, rest);
            FloatVector s = FloatVector.fromArray(F, sin, so + j, rest).mul(sign);
            a.mul(c).sub(b.mul(s)).intoArray(y, yo + j, rest);
            b.mul(c).add(a.mul(s)).intoArray(y, yo + half + j, rest);
        }
    }
}
