package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static jdk.incubator.vector.LongVector.broadcast;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.XOR;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Rng;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorSpecies;

/// Dropout by counters: element i is kept where `draw.uniform(i) >= (float) p`, and then divided by
/// 1 − p (Srivastava et al., 2014).
///
/// The mask is a function of the draw and the index, so backward is the same loop over the
/// gradient, and nothing is stored. A Philox block gives the bits of four elements. A vector of
/// longs holds one word of V/2 blocks, each in the lower half of its lane, so that a product has
/// room; its upper half is not kept clean, but masked where it is read. Four such vectors are the
/// bits of 2·V elements.
final class DropoutLoop {
    private static final long M0 = 0xD2511F53L;
    private static final long M1 = 0xCD9E8D57L;
    private static final int W0 = 0x9E3779B9;
    private static final int W1 = 0xBB67AE85;
    private static final long LOW = 0xFFFFFFFFL;

    private static final VectorSpecies<Long> L = F.withLanes(long.class);

    /// The numbers 0, 1, 2 …
    private static final LongVector IOTA = LongVector.zero(L).addIndex(1);

    private static final FloatVector ZIP_LO = pairIndices(0);
    private static final FloatVector ZIP_HI = pairIndices(V / 2);

    private DropoutLoop() {}

    /// What interleaves two vectors pair by pair: a0 a1 b0 b1 a2 a3 b2 b3 …
    private static FloatVector pairIndices(int from) {
        float[] index = new float[V];
        for (int i = 0; i < V; i++) {
            index[i] = from + i / 4 * 2 + i % 2 + i / 2 % 2 * V;
        }
        return FloatVector.fromArray(F, index, 0);
    }

    /// Sets y to x/(1 − p) where it is kept, else to 0; y may be x.
    ///
    /// @param first the index that the element at `xo` has in the draw
    static void run(
            Rng.Draw draw, double p, long first, float[] x, int xo, float[] y, int yo, int n) {
        // uniform(i) is k/2²⁴ with k the upper 24 bits; times 2²⁴ the float p stays exact.
        int least = (int) Math.ceil((float) p * 0x1p24);
        float scale = (float) (1 / (1 - p));
        Parallel.forRange(
                n,
                Elementwise.GRAIN,
                (from, to) -> {
                    int aligned = (int) Math.min(to, from + (-(first + from) & 3));
                    scalar(draw, least, scale, first, x, xo, y, yo, from, aligned);
                    int whole = aligned + (to - aligned) / (2 * V) * (2 * V);
                    long block = first + aligned >> 2;
                    int length = whole - aligned;
                    blocks(draw, block, least, scale, x, xo + aligned, y, yo + aligned, length);
                    scalar(draw, least, scale, first, x, xo, y, yo, whole, to);
                });
    }

    private static void scalar(
            Rng.Draw draw,
            int least,
            float scale,
            long first,
            float[] x,
            int xo,
            float[] y,
            int yo,
            int from,
            int to) {
        for (int i = from; i < to; i++) {
            y[yo + i] = draw.bits(first + i) >>> 8 >= least ? x[xo + i] * scale : 0f;
        }
    }

    /// Whole vectors, from a whole block on: [Rng.Draw#bits] for all four words of V/2 blocks at a
    /// time.
    private static void blocks(
            Rng.Draw draw,
            long block,
            int least,
            float scale,
            float[] x,
            int xo,
            float[] y,
            int yo,
            int n) {
        long position = draw.position();
        long seed = draw.seed();
        LongVector low = broadcast(L, LOW);
        for (int i = 0; i < n; i += 2 * V) {
            LongVector c0 = IOTA.add(block + (i >> 2));
            LongVector c1 = c0.lanewise(LSHR, 32);
            LongVector c2 = broadcast(L, position);
            LongVector c3 = broadcast(L, position >>> 32);
            int k0 = (int) seed;
            int k1 = (int) (seed >>> 32);
            for (int round = 0; round < 10; round++) {
                LongVector p0 = low.and(c0).mul(M0);
                LongVector p1 = low.and(c2).mul(M1);
                c0 = p1.lanewise(LSHR, 32).lanewise(XOR, c1).lanewise(XOR, k0);
                c2 = p0.lanewise(LSHR, 32).lanewise(XOR, c3).lanewise(XOR, k1);
                c1 = p1;
                c3 = p0;
                k0 += W0;
                k1 += W1;
            }
            LongVector words01 = low.and(c0).or(low.and(c1).lanewise(LSHL, 32));
            LongVector words23 = low.and(c2).or(low.and(c3).lanewise(LSHL, 32));
            FloatVector a = words01.reinterpretAsFloats();
            FloatVector b = words23.reinterpretAsFloats();
            FloatVector first = ZIP_LO.selectFrom(a, b);
            FloatVector second = ZIP_HI.selectFrom(a, b);
            var drop = first.reinterpretAsInts().lanewise(LSHR, 8).compare(LT, least).cast(F);
            FloatVector.fromArray(F, x, xo + i).mul(scale).blend(0f, drop).intoArray(y, yo + i);
            drop = second.reinterpretAsInts().lanewise(LSHR, 8).compare(LT, least).cast(F);
            int j = i + V;
            FloatVector.fromArray(F, x, xo + j).mul(scale).blend(0f, drop).intoArray(y, yo + j);
        }
    }
}
