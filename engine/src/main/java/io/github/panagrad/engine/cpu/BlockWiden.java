package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.BlockLanes.GROUP;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static jdk.incubator.vector.VectorOperators.LSHR;

import io.github.panagrad.engine.ground.BlockStorage;
import io.github.panagrad.engine.ground.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// Reads runs of Q8 and NF4 elements as floats, to the bit what [BlockStorage] defines.
///
/// A run may begin and end anywhere, and go on from row to row. What is not a whole group of codes
/// is read one by one: at most a few elements at either end, for panels and blocks of k begin at
/// multiples of the vector.
final class BlockWiden {
    private static final int UNIT = BlockStorage.UNIT;
    private static final int HALF = UNIT / 2;
    private static final int BLOCK = 2 * UNIT;

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private BlockWiden() {}

    /// Widens `count` elements from element `from` to `dst` at `at`.
    static void run(BlockStorage src, long from, float[] dst, int at, int count) {
        int inner = src.inner();
        for (int done = 0; done < count; ) {
            long row = (from + done) / inner;
            int column = (int) ((from + done) % inner);
            int n = Math.min(count - done, inner - column);
            row(src, row, column, column + n, dst, at + done - column);
            done += n;
        }
    }

    /// Widens columns `from` to `to` of a row, column i to `dst[at + i]`.
    private static void row(BlockStorage src, long row, int from, int to, float[] dst, int at) {
        int head = Math.min(to, (from + GROUP - 1) / GROUP * GROUP);
        int tail = Math.max(head, to / GROUP * GROUP);
        single(src, row, from, head, dst, at);
        if (src.dtype() == DType.Q8) {
            q8(src, row, head, tail, dst, at);
        } else {
            nf4(src, row, head, tail, dst, at);
        }
        single(src, row, tail, to, dst, at);
    }

    private static void single(BlockStorage src, long row, int from, int to, float[] dst, int at) {
        for (int i = from; i < to; i++) {
            dst[at + i] = (float) src.getDouble(row * src.inner() + i);
        }
    }

    private static void q8(BlockStorage src, long row, int from, int to, float[] dst, int at) {
        MemorySegment segment = src.segment();
        long codes = src.codesAt(row);
        long scales = src.floatScalesAt(row);
        int i = from;
        while (i < to) {
            float scale = segment.get(FLOAT, scales + 4L * (i / UNIT));
            q8Group(segment, codes + i, scale, dst, at + i);
            i += GROUP;
            if (i % UNIT == GROUP && i + UNIT - GROUP <= to) {
                // The rest of the unit.
                q8Group(segment, codes + i, scale, dst, at + i);
                if (GROUP == UNIT / 4) {
                    q8Group(segment, codes + i + GROUP, scale, dst, at + i + GROUP);
                    q8Group(segment, codes + i + 2L * GROUP, scale, dst, at + i + 2 * GROUP);
                }
                i += UNIT - GROUP;
            }
        }
    }

    private static void q8Group(
            MemorySegment segment, long codes, float scale, float[] dst, int at) {
        BlockLanes.q8(segment, codes, 0).mul(scale).intoArray(dst, at);
        if (GROUP > V) {
            BlockLanes.q8(segment, codes, 1).mul(scale).intoArray(dst, at + V);
        }
    }

    private static void nf4(BlockStorage src, long row, int from, int to, float[] dst, int at) {
        MemorySegment segment = src.segment();
        long codes = src.codesAt(row);
        long multiples = src.byteScalesAt(row);
        float rowScale = segment.get(FLOAT, src.floatScalesAt(row));
        int i = from;
        while (i < to) {
            float scale =
                    rowScale * (segment.get(ValueLayout.JAVA_BYTE, multiples + i / BLOCK) & 0xFF);
            if (i % UNIT == 0 && i + UNIT <= to) {
                nf4Unit(segment, codes + i / 2, scale, dst, at + i);
                i += UNIT;
            } else {
                long pairs = codes + (long) (i / UNIT) * HALF + i % HALF;
                int shift = i % UNIT < HALF ? 0 : 4;
                levels(segment, pairs, 0, shift).mul(scale).intoArray(dst, at + i);
                if (GROUP > V) {
                    levels(segment, pairs, 1, shift).mul(scale).intoArray(dst, at + i + V);
                }
                i += GROUP;
            }
        }
    }

    private static void nf4Unit(
            MemorySegment segment, long codes, float scale, float[] dst, int at) {
        for (int j = 0; j < HALF; j += GROUP) {
            nf4Pairs(BlockLanes.pairs(segment, codes + j, 0), scale, dst, at + j);
            if (GROUP > V) {
                nf4Pairs(BlockLanes.pairs(segment, codes + j, 1), scale, dst, at + j + V);
            }
        }
    }

    private static void nf4Pairs(IntVector pairs, float scale, float[] dst, int at) {
        BlockLanes.nf4(pairs).mul(scale).intoArray(dst, at);
        BlockLanes.nf4(pairs.lanewise(LSHR, 4)).mul(scale).intoArray(dst, at + HALF);
    }

    private static FloatVector levels(MemorySegment segment, long at, int part, int shift) {
        IntVector pairs = BlockLanes.pairs(segment, at, part);
        return BlockLanes.nf4(pairs.lanewise(LSHR, shift));
    }
}
