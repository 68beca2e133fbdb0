package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.ground.Storage;
import java.util.Arrays;

/// A matrix of a stored type in a native segment (BF16, F16, I8, Q8, NF4), widened while it is packed.
///
/// @param offset the first element
/// @param ld the distance between lanes if steps are contiguous, else between steps, in elements
/// @param stepsContiguous whether a lane's steps follow each other; else a step's lanes do
record StoredOperand(Storage storage, long offset, long ld, boolean stepsContiguous)
        implements Operand {
    @Override
    public StoredOperand at(long shift) {
        return new StoredOperand(storage, offset + shift, ld, stepsContiguous);
    }

    @Override
    public void copyLanes(int lanes, int steps, float[] dst) {
        if (stepsContiguous) {
            for (int lane = 0; lane < lanes; lane++) {
                widen(lane, 0, dst, lane * steps, steps);
            }
            return;
        }
        float[] row = Pool.floats().acquire(lanes);
        for (int p = 0; p < steps; p++) {
            widen(0, p, row, 0, lanes);
            for (int lane = 0; lane < lanes; lane++) {
                dst[lane * steps + p] = row[lane];
            }
        }
        Pool.floats().release(row);
    }

    /// Returns the number of an element in the segment.
    long position(int lane, int step) {
        return offset + (stepsContiguous ? lane * ld + step : step * ld + lane);
    }

    /// Widens `count` contiguous elements of a lane from `step`, or of a step from `lane`.
    void widen(int lane, int step, float[] dst, int at, int count) {
        Widen.run(storage, position(lane, step), dst, at, count);
    }

    @Override
    public void pack(int lane, int count, int step, int steps, float[] dst, int at, int width) {
        for (int first = 0; first < count; first += width) {
            int lanes = Math.min(width, count - first);
            int to = at + first * steps;
            if (stepsContiguous) {
                transpose(lane + first, lanes, step, steps, dst, to, width);
            } else {
                for (int p = 0; p < steps; p++, to += width) {
                    widen(lane + first, step + p, dst, to, lanes);
                    Arrays.fill(dst, to + lanes, to + width, 0);
                }
            }
        }
    }

    /// Widens a group of lanes into rows that stay in the L1 cache, then packs those.
    private void transpose(
            int lane, int count, int step, int steps, float[] dst, int at, int width) {
        // The gap keeps rows of a power of two from sharing a few sets of the cache.
        int pitch = steps + 16;
        int group = Panels.group(width);
        float[] rows = Pool.floats().acquire(group * pitch);
        for (int first = 0; first < width; first += group) {
            int valid = Math.clamp(count - first, 0, group);
            for (int i = 0; i < valid; i++) {
                widen(lane + first + i, step, rows, i * pitch, steps);
            }
            Panels.transpose(rows, 0, pitch, valid, steps, dst, at + first, width);
        }
        Pool.floats().release(rows);
    }
}
