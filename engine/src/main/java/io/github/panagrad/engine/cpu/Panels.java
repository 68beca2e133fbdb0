package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Packing: copies a part of a matrix into panels that the micro-kernel reads from front to back.
///
/// A panel holds `width` lanes (rows of A or columns of B), step after step of the inner dimension;
/// lanes that the matrix does not have are zero. Panels follow each other.
final class Panels {
    /// The widest vector that divides a panel of A.
    private static final VectorSpecies<Float> STRIP =
            VectorSpecies.of(float.class, VectorShape.forBitSize(32 * Math.min(V, Tiles.ROWS)));

    private Panels() {}

    /// Returns how many lanes are transposed at a time into a panel of the given width.
    static int group(int width) {
        return width == Tiles.ROWS ? Tiles.ROWS : V;
    }

    /// Packs lanes that are rows of the source.
    static void fromRows(
            float[] src, int so, int ld, int count, int steps, float[] dst, int at, int width) {
        int group = group(width);
        for (int panel = 0; panel < count; panel += width) {
            for (int first = 0; first < width; first += group) {
                int lane = panel + first;
                int valid = Math.clamp(count - lane, 0, group);
                int to = at + panel * steps + first;
                transpose(src, so + lane * ld, ld, valid, steps, dst, to, width);
            }
        }
    }

    /// Packs one group of lanes: a transpose in registers, V steps at a time.
    ///
    /// @param valid how many lanes of the group there are
    /// @param at the place of the group's first lane in its panel
    static void transpose(
            float[] src, int so, int ld, int valid, int steps, float[] dst, int at, int width) {
        int group = group(width);
        if (valid < group || steps < V) {
            transposeEdge(src, so, ld, valid, steps, dst, at, width);
            return;
        }
        // A panel as wide as the group takes whole vectors; else each step takes a vector.
        int stride = width == group ? V : width;
        for (int s = 0; s < steps; s += V) {
            // The last block overlaps the one before, instead of a scalar rest.
            int p = Math.min(s, steps - V);
            int to = at + p * width;
            switch (group) {
                case 4 -> Interleave.zip4(src, so + p, ld, dst, to, stride);
                case 8 -> Interleave.zip8(src, so + p, ld, dst, to, stride);
                default -> Interleave.zip16(src, so + p, ld, dst, to, stride);
            }
        }
    }

    private static void transposeEdge(
            float[] src, int so, int ld, int valid, int steps, float[] dst, int at, int width) {
        int group = group(width);
        for (int lane = 0; lane < group; lane++) {
            int from = so + lane * ld;
            for (int p = 0, to = at + lane; p < steps; p++, to += width) {
                dst[to] = lane < valid ? src[from + p] : 0;
            }
        }
    }

    /// Packs lanes that are neighbours in the source.
    static void fromColumns(
            float[] src, int so, int ld, int count, int steps, float[] dst, int at, int width) {
        int panels = count / width;
        if (width == Tiles.COLUMNS) {
            copyColumns(src, so, ld, panels, steps, dst, at);
        } else {
            copyRows(src, so, ld, panels, steps, dst, at);
        }
        int done = panels * width;
        if (done < count) {
            copyEdge(src, so + done, ld, count - done, steps, dst, at + done * steps, width);
        }
    }

    private static void copyColumns(
            float[] src, int so, int ld, int panels, int steps, float[] dst, int at) {
        int to = at;
        for (int i = 0; i < panels; i++) {
            int from = so + i * Tiles.COLUMNS;
            for (int p = 0; p < steps; p++, from += ld, to += Tiles.COLUMNS) {
                FloatVector.fromArray(F, src, from).intoArray(dst, to);
                FloatVector.fromArray(F, src, from + V).intoArray(dst, to + V);
            }
        }
    }

    /// A panel's step is a part of a cache line, so all panels go at once: each line is fetched once.
    private static void copyRows(
            float[] src, int so, int ld, int panels, int steps, float[] dst, int at) {
        int panelSize = Tiles.ROWS * steps;
        for (int p = 0; p < steps; p++, so += ld, at += Tiles.ROWS) {
            int from = so;
            int to = at;
            for (int i = 0; i < panels; i++, from += Tiles.ROWS, to += panelSize) {
                for (int lane = 0; lane < Tiles.ROWS; lane += STRIP.length()) {
                    FloatVector.fromArray(STRIP, src, from + lane).intoArray(dst, to + lane);
                }
            }
        }
    }

    private static void copyEdge(
            float[] src, int so, int ld, int count, int steps, float[] dst, int at, int width) {
        for (int p = 0; p < steps; p++, so += ld, at += width) {
            for (int lane = 0; lane < count; lane++) {
                dst[at + lane] = src[so + lane];
            }
            for (int lane = count; lane < width; lane++) {
                dst[at + lane] = 0;
            }
        }
    }
}
