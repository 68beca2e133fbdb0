package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static jdk.incubator.vector.VectorOperators.LSHL;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// The product of one row with a BF16 matrix, as in decoding: bound by the memory that the weights come
/// from, so they are widened in registers.
///
/// A vector of 2·V weights read as V ints holds the even ones in the lower halves and the odd ones in
/// the upper halves; a shift and a mask make floats of them without moving lanes. The row is split
/// the same way, once.
final class Bf16Row {
    private static final VectorSpecies<Short> S =
            VectorSpecies.of(short.class, VectorShape.forBitSize(32 * V));
    private static final int STEP = 2 * V;
    private static final int UPPER = 0xFFFF0000;

    private final int whole;
    private final int rest;
    private final float[] even;
    private final float[] odd;
    private final float[] last;
    private final float[] lastWeights;
    private final float[] lanes = new float[4 * V];
    private final float[] sums = new float[4];

    /// Splits the row x[xo … xo+k).
    Bf16Row(int k, float[] x, int xo) {
        whole = k - k % STEP;
        rest = k - whole;
        even = new float[whole / 2];
        odd = new float[whole / 2];
        for (int i = 0; i < whole / 2; i++) {
            even[i] = x[xo + 2 * i];
            odd[i] = x[xo + 2 * i + 1];
        }
        last = Arrays.copyOfRange(x, xo + whole, xo + k);
        lastWeights = new float[rest];
    }

    /// Returns the dot products with lanes `lane` to `lane` + `count` of W, at most four, from `step`.
    float[] dots(StoredOperand w, int lane, int count, int step) {
        long from = w.position(lane, step);
        long row = 2 * w.ld();
        // Missing rows repeat the last one.
        dot1x4(
                whole,
                even,
                odd,
                w.storage().segment(),
                2 * from,
                2 * from + Math.min(1, count - 1) * row,
                2 * from + Math.min(2, count - 1) * row,
                2 * from + Math.min(3, count - 1) * row,
                lanes);
        DotTile.sums(4, lanes, 0, V, sums, 0, false);
        for (int i = 0; rest > 0 && i < count; i++) {
            w.widen(lane + i, step + whole, lastWeights, 0, rest);
            for (int p = 0; p < rest; p++) {
                sums[i] += last[p] * lastWeights[p];
            }
        }
        return sums;
    }

    private static void dot1x4(
            int k,
            float[] even,
            float[] odd,
            MemorySegment w,
            long w0,
            long w1,
            long w2,
            long w3,
            float[] lanes) {
        FloatVector e0 = FloatVector.zero(F);
        FloatVector e1 = FloatVector.zero(F);
        FloatVector e2 = FloatVector.zero(F);
        FloatVector e3 = FloatVector.zero(F);
        FloatVector o0 = FloatVector.zero(F);
        FloatVector o1 = FloatVector.zero(F);
        FloatVector o2 = FloatVector.zero(F);
        FloatVector o3 = FloatVector.zero(F);
        for (int p = 0; p < k; p += STEP) {
            FloatVector xe = FloatVector.fromArray(F, even, p >> 1);
            FloatVector xo = FloatVector.fromArray(F, odd, p >> 1);
            long at = 2L * p;
            IntVector u = pairs(w, w0 + at);
            e0 = u.lanewise(LSHL, 16).reinterpretAsFloats().fma(xe, e0);
            o0 = u.and(UPPER).reinterpretAsFloats().fma(xo, o0);
            u = pairs(w, w1 + at);
            e1 = u.lanewise(LSHL, 16).reinterpretAsFloats().fma(xe, e1);
            o1 = u.and(UPPER).reinterpretAsFloats().fma(xo, o1);
            u = pairs(w, w2 + at);
            e2 = u.lanewise(LSHL, 16).reinterpretAsFloats().fma(xe, e2);
            o2 = u.and(UPPER).reinterpretAsFloats().fma(xo, o2);
            u = pairs(w, w3 + at);
            e3 = u.lanewise(LSHL, 16).reinterpretAsFloats().fma(xe, e3);
            o3 = u.and(UPPER).reinterpretAsFloats().fma(xo, o3);
        }
        e0.add(o0).intoArray(lanes, 0);
        e1.add(o1).intoArray(lanes, V);
        e2.add(o2).intoArray(lanes, 2 * V);
        e3.add(o3).intoArray(lanes, 3 * V);
    }

    private static IntVector pairs(MemorySegment w, long at) {
        return ShortVector.fromMemorySegment(S, w, at, ByteOrder.LITTLE_ENDIAN).reinterpretAsInts();
    }
}
