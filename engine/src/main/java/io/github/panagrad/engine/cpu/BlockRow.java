package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static jdk.incubator.vector.VectorOperators.LSHR;

import io.github.panagrad.engine.ground.BlockStorage;
import io.github.panagrad.engine.ground.DType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// The product of one row with a Q8 or NF4 matrix, as in decoding: codes become levels in registers.
///
/// Levels are summed without scales; a unit's sum is multiplied by its scale. The row is copied once
/// and filled up with zeros to whole units, so that there is no rest. Four rows of the matrix are
/// read side by side, a quarter of the range apart, so that each is one long stream through memory:
/// four neighbours would be runs of a few hundred bytes, which the prefetcher does not follow. Q8
/// multiplies four rows in one loop, NF4 two: with the selects of four C2 reaches its limit of nodes,
/// and vectors are boxed.
final class BlockRow {
    private static final int UNIT = BlockStorage.UNIT;

    private final BlockScales scales;
    private final MemorySegment segment;
    private final int units;
    private final float[] x;
    private final float[] lanes = new float[4 * V];
    private final float[] sums = new float[4];
    private final int[] rows = new int[4];

    private BlockRow(BlockStorage w, int k, float[] x, int xo) {
        segment = w.segment();
        units = (k + UNIT - 1) / UNIT;
        this.x = Arrays.copyOf(Arrays.copyOfRange(x, xo, xo + k), units * UNIT);
        scales = new BlockScales(w, units);
    }

    /// Tells whether the lanes of an operand are rows of a block type and begin with a block.
    static boolean suits(StoredOperand w) {
        return w.stepsContiguous()
                && w.storage() instanceof BlockStorage blocks
                && w.ld() % blocks.inner() == 0
                && w.offset() % blocks.inner() % BlockScales.BLOCK == 0;
    }

    /// Computes the dot products of x[xo … xo+k) with lanes `from` to `to` of W, from `step`, a
    /// multiple of 64, to y[0 … to−from).
    static void products(
            StoredOperand w, int from, int to, int step, int k, float[] x, int xo, float[] y) {
        var storage = (BlockStorage) w.storage();
        var row = new BlockRow(storage, k, x, xo);
        long at = w.position(from, step);
        int unit = (int) (at % storage.inner()) / UNIT;
        long rowStep = w.ld() / storage.inner();
        row.products(storage, at / storage.inner(), rowStep, to - from, unit, y);
    }

    private void products(
            BlockStorage w, long first, long rowStep, int count, int unit, float[] y) {
        int quarter = (count + 3) / 4;
        int codes = w.dtype() == DType.Q8 ? UNIT : UNIT / 2;
        long start = w.codesAt(first) + (long) codes * unit;
        long pitch = rowStep * (w.codesAt(1) - w.codesAt(0));
        for (int i = 0; i < quarter; i++) {
            if (i % BlockScales.ROWS == 0) {
                int some = Math.min(BlockScales.ROWS, quarter - i);
                for (int q = 0; q < 4; q++) {
                    int lane = Math.min(q * quarter + i, count - 1);
                    int there = Math.min(some, count - lane);
                    scales.load(q, first + lane * rowStep, rowStep, there, unit);
                }
            }
            for (int q = 0; q < 4; q++) {
                // A lane beyond the end repeats the last.
                rows[q] = Math.min(q * quarter + i, count - 1);
            }
            multiply(w.dtype(), start, pitch, i % BlockScales.ROWS);
            for (int q = 0; q < 4 && q * quarter + i < count; q++) {
                y[q * quarter + i] = sums[q] * scales.rowScale(q, i % BlockScales.ROWS);
            }
        }
    }

    /// Multiplies with the rows numbered by `rows`.
    private void multiply(DType dtype, long start, long pitch, int place) {
        long c0 = start + rows[0] * pitch;
        long c1 = start + rows[1] * pitch;
        long c2 = start + rows[2] * pitch;
        long c3 = start + rows[3] * pitch;
        int s0 = scales.at(0, place);
        int s1 = scales.at(1, place);
        int s2 = scales.at(2, place);
        int s3 = scales.at(3, place);
        float[] s = scales.values();
        if (dtype == DType.Q8) {
            q8(units, x, segment, c0, c1, c2, c3, s, s0, s1, s2, s3, lanes);
        } else {
            nf4(units, x, segment, c0, c1, s, s0, s1, lanes, 0);
            nf4(units, x, segment, c2, c3, s, s2, s3, lanes, 2 * V);
        }
        DotTile.sums(4, lanes, 0, V, sums, 0, false);
    }

    private static void q8(
            int units,
            float[] x,
            MemorySegment w,
            long c0,
            long c1,
            long c2,
            long c3,
            float[] s,
            int s0,
            int s1,
            int s2,
            int s3,
            float[] lanes) {
        FloatVector a0 = FloatVector.zero(F);
        FloatVector a1 = FloatVector.zero(F);
        FloatVector a2 = FloatVector.zero(F);
        FloatVector a3 = FloatVector.zero(F);
        for (int u = 0; u < units; u++) {
            int p = u * UNIT;
            a0 = unitQ8(x, p, w, c0 + p).fma(FloatVector.broadcast(F, s[s0 + u]), a0);
            a1 = unitQ8(x, p, w, c1 + p).fma(FloatVector.broadcast(F, s[s1 + u]), a1);
            a2 = unitQ8(x, p, w, c2 + p).fma(FloatVector.broadcast(F, s[s2 + u]), a2);
            a3 = unitQ8(x, p, w, c3 + p).fma(FloatVector.broadcast(F, s[s3 + u]), a3);
        }
        a0.intoArray(lanes, 0);
        a1.intoArray(lanes, V);
        a2.intoArray(lanes, 2 * V);
        a3.intoArray(lanes, 3 * V);
    }

    /// The lanes of a unit's sum.
    private static FloatVector unitQ8(float[] x, int p, MemorySegment w, long at) {
        if (V == 16) {
            FloatVector sum = BlockLanes.q8(w, at, 0).mul(FloatVector.fromArray(F, x, p));
            return BlockLanes.q8(w, at + 16, 0).fma(FloatVector.fromArray(F, x, p + 16), sum);
        }
        FloatVector sum = unitQuarterQ8(x, p, w, at, FloatVector.zero(F));
        sum = unitQuarterQ8(x, p + 8, w, at + 8, sum);
        sum = unitQuarterQ8(x, p + 16, w, at + 16, sum);
        return unitQuarterQ8(x, p + 24, w, at + 24, sum);
    }

    private static FloatVector unitQuarterQ8(
            float[] x, int p, MemorySegment w, long at, FloatVector sum) {
        FloatVector t = BlockLanes.q8(w, at, 0).fma(FloatVector.fromArray(F, x, p), sum);
        return V == 4 ? BlockLanes.q8(w, at, 1).fma(FloatVector.fromArray(F, x, p + 4), t) : t;
    }

    private static void nf4(
            int units,
            float[] x,
            MemorySegment w,
            long c0,
            long c1,
            float[] s,
            int s0,
            int s1,
            float[] lanes,
            int at) {
        FloatVector a0 = FloatVector.zero(F);
        FloatVector a1 = FloatVector.zero(F);
        int blocks = units / 2;
        for (int b = 0; b < blocks; b++) {
            int p = b * BlockScales.BLOCK;
            int c = b * UNIT;
            FloatVector t = unitNf4(x, p, w, c0 + c, FloatVector.zero(F));
            t = unitNf4(x, p + UNIT, w, c0 + c + UNIT / 2, t);
            a0 = t.fma(FloatVector.broadcast(F, s[s0 + b]), a0);
            t = unitNf4(x, p, w, c1 + c, FloatVector.zero(F));
            t = unitNf4(x, p + UNIT, w, c1 + c + UNIT / 2, t);
            a1 = t.fma(FloatVector.broadcast(F, s[s1 + b]), a1);
        }
        a0.intoArray(lanes, at);
        a1.intoArray(lanes, at + V);
        if (units % 2 != 0) {
            nf4Last(blocks, x, w, c0, s[s0 + blocks], lanes, at);
            nf4Last(blocks, x, w, c1, s[s1 + blocks], lanes, at + V);
        }
    }

    /// Adds the half block at the end of a row.
    private static void nf4Last(
            int block, float[] x, MemorySegment w, long codes, float s, float[] lanes, int at) {
        int p = block * BlockScales.BLOCK;
        FloatVector t = unitNf4(x, p, w, codes + (long) block * UNIT, FloatVector.zero(F));
        t.fma(FloatVector.broadcast(F, s), FloatVector.fromArray(F, lanes, at))
                .intoArray(lanes, at);
    }

    /// Adds the lanes of a unit's sum.
    private static FloatVector unitNf4(float[] x, int p, MemorySegment w, long at, FloatVector to) {
        if (V == 16) {
            return unitNf4(x, p, BlockLanes.pairs(w, at, 0), to);
        }
        FloatVector sum = unitNf4(x, p, BlockLanes.pairs(w, at, 0), to);
        if (V == 4) {
            sum = unitNf4(x, p + 4, BlockLanes.pairs(w, at, 1), sum);
        }
        sum = unitNf4(x, p + 8, BlockLanes.pairs(w, at + 8, 0), sum);
        return V == 4 ? unitNf4(x, p + 12, BlockLanes.pairs(w, at + 8, 1), sum) : sum;
    }

    private static FloatVector unitNf4(float[] x, int p, IntVector pairs, FloatVector sum) {
        FloatVector lower = BlockLanes.nf4(pairs).fma(FloatVector.fromArray(F, x, p), sum);
        FloatVector upper = BlockLanes.nf4(pairs.lanewise(LSHR, 4));
        return upper.fma(FloatVector.fromArray(F, x, p + 16), lower);
    }
}
