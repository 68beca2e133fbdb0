package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// A matrix as the packing sees it: lanes by steps.
///
/// Lanes are the rows of op(A) or the columns of op(B), steps the inner dimension. Packed, a panel of
/// `width` lanes is stored step after step, so that the micro-kernel reads it from front to back.
sealed interface Operand permits Operand.Floats {
    /// Packs `count` lanes from `lane` and `steps` steps from `step` into the panel at `at`.
    ///
    /// Lanes up to `width` are filled with zeros, and an odd number of steps gets one more, of zeros.
    void pack(int lane, int count, int step, int steps, float[] panel, int at, int width);

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
        public void pack(
                int lane, int count, int step, int steps, float[] panel, int at, int width) {
            if (stepsContiguous) {
                interleave(data, offset + lane * ld + step, ld, count, steps, panel, at, width);
            } else {
                copy(data, offset + step * ld + lane, ld, count, steps, panel, at, width);
            }
            padStep(steps, panel, at, width);
        }
    }

    /// Packs lanes that are rows of the source: a transpose, V steps of a group of lanes at a time.
    static void interleave(
            float[] src, int so, int ld, int count, int steps, float[] panel, int at, int width) {
        int group = width == Tiles.ROWS ? Tiles.ROWS : V;
        for (int lane = 0; lane < width; lane += group) {
            int valid = Math.clamp(count - lane, 0, group);
            int from = so + lane * ld;
            if (valid < group || steps < V) {
                interleaveEdge(src, from, ld, valid, group, steps, panel, at + lane, width);
                continue;
            }
            // A panel as wide as the group takes whole vectors, else each step is a vector.
            int step = width == group ? V : width;
            for (int s = 0; s < steps; s += V) {
                // The last block overlaps the one before, instead of a scalar rest.
                int p = Math.min(s, steps - V);
                int to = at + lane + p * width;
                if (group == 4) {
                    Interleave.zip4(src, from + p, ld, panel, to, step);
                } else if (group == 8) {
                    Interleave.zip8(src, from + p, ld, panel, to, step);
                } else {
                    Interleave.zip16(src, from + p, ld, panel, to, step);
                }
            }
        }
    }

    private static void interleaveEdge(
            float[] src, int so, int ld, int valid, int group, int steps,
            float[] panel, int at, int width) {
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
