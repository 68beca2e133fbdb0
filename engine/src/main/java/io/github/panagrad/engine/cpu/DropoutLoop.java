package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Rng;

/// Dropout by counters: element i is kept where `draw.uniform(i) >= (float) p`, and then divided by
/// 1 − p (Srivastava et al., 2014).
///
/// The mask is a function of the draw and the index, so backward is the same loop over the
/// gradient, and nothing is stored. Each Philox block gives the bits of four elements and is
/// computed once.
final class DropoutLoop {
    private static final long M0 = 0xD2511F53L;
    private static final long M1 = 0xCD9E8D57L;
    private static final int W0 = 0x9E3779B9;
    private static final int W1 = 0xBB67AE85;

    private DropoutLoop() {}

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
                (from, to) -> range(draw, least, scale, first, x, xo, y, yo, from, to));
    }

    private static void range(
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
        int i = from;
        for (; i < to && (first + i & 3) != 0; i++) {
            y[yo + i] = draw.bits(first + i) >>> 8 >= least ? x[xo + i] * scale : 0f;
        }
        for (; i + 4 <= to; i += 4) {
            block(draw.seed(), draw.position(), first + i >> 2, least, scale, x, xo + i, y, yo + i);
        }
        for (; i < to; i++) {
            y[yo + i] = draw.bits(first + i) >>> 8 >= least ? x[xo + i] * scale : 0f;
        }
    }

    /// The four elements of one block: [Rng.Draw#bits] written out for all four words.
    private static void block(
            long seed,
            long position,
            long block,
            int least,
            float scale,
            float[] x,
            int xo,
            float[] y,
            int yo) {
        int c0 = (int) block;
        int c1 = (int) (block >>> 32);
        int c2 = (int) position;
        int c3 = (int) (position >>> 32);
        int k0 = (int) seed;
        int k1 = (int) (seed >>> 32);
        for (int round = 0; round < 10; round++) {
            long p0 = M0 * (c0 & 0xFFFFFFFFL);
            long p1 = M1 * (c2 & 0xFFFFFFFFL);
            c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
            c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
            c1 = (int) p1;
            c3 = (int) p0;
            k0 += W0;
            k1 += W1;
        }
        y[yo] = c0 >>> 8 >= least ? x[xo] * scale : 0f;
        y[yo + 1] = c1 >>> 8 >= least ? x[xo + 1] * scale : 0f;
        y[yo + 2] = c2 >>> 8 >= least ? x[xo + 2] * scale : 0f;
        y[yo + 3] = c3 >>> 8 >= least ? x[xo + 3] * scale : 0f;
    }
}
