package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.BlockLanes.GROUP;
import static io.github.panagrad.engine.cpu.Lanes.V;

import io.github.panagrad.engine.ground.BlockStorage;
import io.github.panagrad.engine.ground.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The scales of some rows of a Q8 or NF4 matrix as floats in an array, for four streams of rows.
///
/// Read in the loop over codes they would double its loads from the segment, each of which has its
/// checks. [#ROWS] rows at a time make the copies long and stay in the L1 cache.
final class BlockScales {
    /// Rows of a stream that are loaded at a time.
    static final int ROWS = 16;

    /// Elements that share a scale, at most.
    static final int BLOCK = 2 * BlockStorage.UNIT;

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final BlockStorage w;
    private final int count;
    private final int stream;
    private final float[] values;
    private final byte[] bytes;
    private final float[] rowScales = new float[4 * ROWS];

    /// Makes room for the scales of the first `units` units of rows.
    BlockScales(BlockStorage w, int units) {
        this.w = w;
        count = w.dtype() == DType.Q8 ? units : (units + 1) / 2;
        // Room for whole groups of bytes.
        stream = ROWS * count + GROUP;
        values = new float[4 * stream];
        bytes = new byte[stream];
        java.util.Arrays.fill(rowScales, 1);
    }

    /// Loads the scales of `rows` rows from unit `unit`, an even one, into a stream.
    void load(int number, long row, long rowStep, int rows, int unit) {
        boolean whole = rowStep == 1 && count == (w.dtype() == DType.Q8 ? w.units() : blocks());
        int at = number * stream;
        MemorySegment segment = w.segment();
        if (w.dtype() == DType.Q8) {
            for (int r = 0; r < (whole ? 1 : rows); r++) {
                long from = w.floatScalesAt(row + r * rowStep) + 4L * unit;
                int n = whole ? rows * count : count;
                MemorySegment.copy(segment, FLOAT, from, values, at + r * count, n);
            }
            return;
        }
        for (int r = 0; r < (whole ? 1 : rows); r++) {
            long from = w.byteScalesAt(row + r * rowStep) + unit / 2;
            int n = whole ? rows * count : count;
            MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, from, bytes, r * count, n);
        }
        for (int i = 0; i < rows * count; i += GROUP) {
            BlockLanes.unsigned(bytes, i, 0).intoArray(values, at + i);
            if (GROUP > V) {
                BlockLanes.unsigned(bytes, i, 1).intoArray(values, at + i + V);
            }
        }
        for (int r = 0; r < rows; r++) {
            rowScales[number * ROWS + r] = segment.get(FLOAT, w.floatScalesAt(row + r * rowStep));
        }
    }

    private int blocks() {
        return (w.units() + 1) / 2;
    }

    /// Returns the scales: of units (Q8) or, without that of their row, of blocks of two (NF4).
    float[] values() {
        return values;
    }

    /// Returns where those of a loaded row begin.
    int at(int number, int row) {
        return number * stream + row * count;
    }

    /// Returns the scale of a whole loaded row; 1 for Q8.
    float rowScale(int number, int row) {
        return rowScales[number * ROWS + row];
    }
}
