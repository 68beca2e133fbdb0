package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.op.Dropout;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.tornado.device.Program;
import io.github.panagrad.tornado.device.Programs;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// Dropout by the very numbers that `Rng.Draw` gives on the CPU, so that a model drops the same
/// elements on any device.
///
/// A thread a block of the generator (Philox 4x32-10), which is four elements. Words are kept in
/// longs between 0 and 2³²: unsigned shifts and comparisons of ints cannot be relied upon.
final class DropoutKernels {
    private static final int LOCAL = 64;

    /// Elements of a block.
    private static final int BLOCK = 4;

    private static final int ROUNDS = 10;
    private static final long LOW = 0xFFFFFFFFL;
    private static final long M0 = 0xD2511F53L;
    private static final long M1 = 0xCD9E8D57L;
    private static final long W0 = 0x9E3779B9L;
    private static final long W1 = 0xBB67AE85L;

    private final Program dropout;

    DropoutKernels(Programs programs) {
        dropout = programs.add("dropout", LOCAL, DropoutKernels::kDropout);
    }

    void register(KernelTable table) {
        table.add(Dropout.class, this::run, (op, in) -> KernelTable.floats(in));
    }

    private void run(Dropout op, View[] in, View[] out) {
        int n = out[0].size();
        long position = op.draw().position();
        long seed = op.draw().seed();
        // uniform(i) is k/2²⁴ with k the upper 24 bits; times 2²⁴ the float p stays exact.
        int least = (int) Math.ceil((float) op.p() * 0x1p24);
        int[] launch = {
            n,
            Places.at(in[0]),
            Places.at(out[0]),
            least,
            (int) position,
            (int) (position >>> 32),
            (int) seed,
            (int) (seed >>> 32)
        };
        int blocks = (int) (((long) n + BLOCK - 1) / BLOCK);
        dropout.launch(blocks, launch, (float) (1 / (1 - op.p())));
    }

    // p: n, from, to, least bits that are kept, position (low, high), seed (low, high); r: scale

    private static void kDropout(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int block = c.globalIdx;
        int first = block * BLOCK;
        int size = p.get(0);
        if (first < size) {
            long c0 = block;
            long c1 = 0;
            long c2 = p.get(4) & LOW;
            long c3 = p.get(5) & LOW;
            long k0 = p.get(6) & LOW;
            long k1 = p.get(7) & LOW;
            for (int round = 0; round < ROUNDS; round++) {
                long p0 = M0 * c0;
                long p1 = M1 * c2;
                c0 = (((p1 >> 32) & LOW) ^ c1) ^ k0;
                c2 = (((p0 >> 32) & LOW) ^ c3) ^ k1;
                c1 = p1 & LOW;
                c3 = p0 & LOW;
                k0 = (k0 + W0) & LOW;
                k1 = (k1 + W1) & LOW;
            }
            int from = p.get(1) + first;
            int to = p.get(2) + first;
            long least = p.get(3);
            float scale = r.get(0);
            for (int j = 0; j < BLOCK; j++) {
                long word = c0;
                if (j == 1) {
                    word = c1;
                }
                if (j == 2) {
                    word = c2;
                }
                if (j == 3) {
                    word = c3;
                }
                if (first + j < size) {
                    float y = 0f;
                    if ((word >> 8) >= least) {
                        y = f.get(from + j) * scale;
                    }
                    f.set(to + j, y);
                }
            }
        }
    }
}
