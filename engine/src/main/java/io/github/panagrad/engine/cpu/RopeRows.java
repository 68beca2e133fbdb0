package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;

import io.github.panagrad.engine.ground.Parallel;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Rotary position embedding in the rotate-half form (Su et al., 2021, in the layout of Hugging
/// Face): channel j turns with channel j + R/2, by the angle of the token's position.
///
/// Not the interleaved form, where neighbours turn. Backward is the turn by the opposite angle.
final class RopeRows {
    /// Vectors of half the width.
    private static final VectorSpecies<Float> NARROW =
            VectorSpecies.of(float.class, VectorShape.forBitSize(F.vectorBitSize() / 2));

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
                        int at = g * heads * size;
                        heads(
                                x,
                                xo + at,
                                cos,
                                co + angle,
                                sin,
                                so + angle,
                                half,
                                heads,
                                size,
                                sign,
                                y,
                                yo + at);
                        if (size > rotary && (x != y || xo != yo)) {
                            for (int h = 0; h < heads; h++) {
                                int rest = at + h * size + rotary;
                                System.arraycopy(x, xo + rest, y, yo + rest, size - rotary);
                            }
                        }
                    }
                });
    }

    /// Turns all heads of one token, a vector of channels at a time, then half a vector: heads of
    /// 48 or 80 channels have halves of 24 and 40.
    private static void heads(
            float[] x,
            int xo,
            float[] cos,
            int co,
            float[] sin,
            int so,
            int half,
            int heads,
            int size,
            float sign,
            float[] y,
            int yo) {
        for (int h = 0, i = xo, k = yo; h < heads; h++, i += size, k += size) {
            int j = 0;
            for (; j <= half - V; j += V) {
                FloatVector a = FloatVector.fromArray(F, x, i + j);
                FloatVector b = FloatVector.fromArray(F, x, i + half + j);
                FloatVector c = FloatVector.fromArray(F, cos, co + j);
                FloatVector s = FloatVector.fromArray(F, sin, so + j).mul(sign);
                a.mul(c).sub(b.mul(s)).intoArray(y, k + j);
                b.mul(c).add(a.mul(s)).intoArray(y, k + half + j);
            }
            if (j <= half - V / 2) {
                FloatVector a = FloatVector.fromArray(NARROW, x, i + j);
                FloatVector b = FloatVector.fromArray(NARROW, x, i + half + j);
                FloatVector c = FloatVector.fromArray(NARROW, cos, co + j);
                FloatVector s = FloatVector.fromArray(NARROW, sin, so + j).mul(sign);
                a.mul(c).sub(b.mul(s)).intoArray(y, k + j);
                b.mul(c).add(a.mul(s)).intoArray(y, k + half + j);
                j += V / 2;
            }
            for (; j < half; j++) {
                float a = x[i + j];
                float b = x[i + half + j];
                float s = sin[so + j] * sign;
                y[k + j] = a * cos[co + j] - b * s;
                y[k + half + j] = b * cos[co + j] + a * s;
            }
        }
    }
}
