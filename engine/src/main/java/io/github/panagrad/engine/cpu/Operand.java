package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// A matrix as the packing sees it: lanes by steps.
///
/// Lanes are the rows of op(A) or the columns of op(B), steps the inner dimension. Packed, a panel
/// of `width` lanes is stored step after step, so that the micro-kernel reads it from front to
/// back.
sealed interface Operand permits Operand.Floats, StoredOperand {
    /// Packs `count` lanes from `lane` and `steps` steps from `step` into the panel at `at`.
    ///
    /// Lanes up to `width` are filled with zeros, and an odd number of steps gets one more, of
    /// zeros.
    void pack(int lane, int count, int step, int steps, float[] panel, int at, int width);

    /// Tells whether a lane's steps follow each other; else a step's lanes do.
    boolean stepsContiguous();

    /// Copies lanes 0 … lanes−1, with steps 0 … steps−1 of each following each other.
    void copyLanes(int lanes, int steps, float[] dst);

    /// Returns the matrix of the same layout `shift` elements on, the next one of a batch.
    Operand at(long shift);

    /// Fills the step that makes an odd number of steps even.
    static void padStep(int steps, float[] panel, int at, int width) {
        if ((steps & 1) != 0) {
            Arrays.fill(panel, at + steps * width, at + (steps + 1) * width, 0);
        }
    }

    /// A matrix in an array.
    ///
    /// @param ld the distance between lanes if steps are contiguous, else between steps
    /// @param stepsContiguous whether a lane's steps follow each other; else a step's lanes do
    record Floats(float[] data, int offset, int ld, boolean stepsContiguous) implements Operand {
        @Override
        public Floats at(long shift) {
            return new Floats(data, Math.toIntExact(offset + shift), ld, stepsContiguous);
        }

        @Override
        public void copyLanes(int lanes, int steps, float[] dst) {
            if (stepsContiguous) {
                for (int lane = 0; lane < lanes; lane++) {
                    System.arraycopy(data, offset + lane * ld, dst, lane * steps, steps);
                }
                return;
            }
            for (int p = 0, from = offset; p < steps; p++, from += ld) {
                for (int lane = 0; lane < lanes; lane++) {
                    dst[lane * steps + p] = data[from + lane];
                }
            }
        }

        @Override
        public void pack(
                int lane, int count, int step, int steps, float[] panel, int at, int width) {
            if (stepsContiguous) {
                int group = group(width);
                for (int first = 0; first < width; first += group) {
                    int valid = Math.clamp(count - first, 0, group);
                    int from = offset + (lane + first) * ld + step;
                    interleave(data, from, ld, valid, steps, panel, at + first, width);
                }
            } else {
                copy(data, offset + step * ld + lane, ld, count, steps, panel, at, width);
            }
            padStep(steps, panel, at, width);
        }
    }

    /// Returns how many lanes of a panel of the given width are transposed at a time.
    static int group(int width) {
        return width == Tiles.ROWS ? Tiles.ROWS : V;
    }

    /// Packs a group of lanes that are rows of the source: a transpose, V steps at a time.
    ///
    /// @param valid how many lanes of the group there are; the others get zeros
    /// @param at the group's first lane in the panel
    static void interleave(
            float[] src, int so, int ld, int valid, int steps, float[] panel, int at, int width) {
        int group = group(width);
        if (valid < group || steps < V) {
            interleaveEdge(src, so, ld, valid, group, steps, panel, at, width);
            return;
        }
        // A panel as wide as the group takes whole vectors; else each step takes a vector.
        int stride = width == group ? V : width;
        for (int s = 0; s < steps; s += V) {
            // The last block overlaps the one before, instead of a scalar rest.
            int p = Math.min(s, steps - V);
            int to = at + p * width;
            switch (group) {
                case 4 -> Interleave.zip4(src, so + p, ld, panel, to, stride);
                case 8 -> Interleave.zip8(src, so + p, ld, panel, to, stride);
                default -> Interleave.zip16(src, so + p, ld, panel, to, stride);
            }
        }
    }

    private static void interleaveEdge(
            float[] src,
            int so,
            int ld,
            int valid,
            int group,
            int steps,
            float[] panel,
            int at,
            int width) {
        for (int lane = 0; lane < group; lane++) {
            int from = so + lane * ld;
            int to = at + lane;
            if (lane < valid) {
                for (int p = 0; p < steps; p++, to += width) {
                    panel[to] = src[from + p];
                }
            } else {
                for (int p = 0; p < steps; p++, to += width) {
                    panel[to] = 0;
                }
            }
        }
    }

    /// The widest vector that divides every panel's width.
    VectorSpecies<Float> STRIP =
            VectorSpecies.of(float.class, VectorShape.forBitSize(32 * Math.min(V, Tiles.ROWS)));

    /// Packs lanes that are neighbours in the source: a copy of short runs.
    static void copy(
            float[] src, int so, int ld, int count, int steps, float[] panel, int at, int width) {
        if (width == Tiles.ROWS) {
            copyRows(src, so, ld, count, steps, panel, at);
        } else if (count == width) {
            for (int p = 0; p < steps; p++, so += ld, at += width) {
                for (int lane = 0; lane < width; lane += V) {
                    FloatVector.fromArray(F, src, so + lane).intoArray(panel, at + lane);
                }
            }
        } else {
            copyEdge(src, so, ld, count, steps, panel, at, width);
        }
    }

    private static void copyRows(
            float[] src, int so, int ld, int count, int steps, float[] panel, int at) {
        if (count < Tiles.ROWS) {
            copyEdge(src, so, ld, count, steps, panel, at, Tiles.ROWS);
            return;
        }
        for (int p = 0; p < steps; p++, so += ld, at += Tiles.ROWS) {
            for (int lane = 0; lane < Tiles.ROWS; lane += STRIP.length()) {
                FloatVector.fromArray(STRIP, src, so + lane).intoArray(panel, at + lane);
            }
        }
    }

    private static void copyEdge(
            float[] src, int so, int ld, int count, int steps, float[] panel, int at, int width) {
        for (int p = 0; p < steps; p++, so += ld, at += width) {
            for (int lane = 0; lane < count; lane++) {
                panel[at + lane] = src[so + lane];
            }
            for (int lane = count; lane < width; lane++) {
                panel[at + lane] = 0;
            }
        }
    }
}
