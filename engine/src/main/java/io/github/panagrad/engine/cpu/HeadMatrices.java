package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.spi.View;
import java.util.Arrays;

/// The operands of a head, hidden [n, D] and weight [V, D], and the products with a block of
/// logits.
///
/// The weight may be of a type that is only stored; it is widened while it is packed.
///
/// @param hidden the rows of the tokens
/// @param offset position of the first row
/// @param weight the weight with its D steps contiguous, as the logits need it
/// @param across the weight with its rows as steps, as the gradient of hidden needs it
/// @param dim D
/// @param vocabulary V
record HeadMatrices(
        float[] hidden, int offset, Operand weight, Operand across, int dim, int vocabulary) {
    /// Vocabulary entries whose gradients one thread adds up at a time.
    private static final int RANGE = 512;

    static HeadMatrices of(float[] hidden, int offset, View weight) {
        int dim = weight.dim(1);
        return new HeadMatrices(
                hidden, offset, operand(weight, true), operand(weight, false), dim, weight.dim(0));
    }

    private static Operand operand(View weight, boolean stepsContiguous) {
        int dim = weight.dim(1);
        return weight.dtype().isSegment()
                ? new StoredOperand(
                        weight.storage(), weight.layout().offset(), dim, stepsContiguous)
                : new Operand.Floats(weight.floats(), weight.offset(), dim, stepsContiguous);
    }

    /// Computes the logits of `tokens` tokens from `t` on for `columns` entries from `v` on.
    void logits(int t, int tokens, int v, int columns, float[] block) {
        var left = new Operand.Floats(hidden, offset + t * dim, dim, true);
        Operand right = weight.at((long) v * dim);
        Gemm.run(tokens, columns, dim, left, right, block, 0, columns, false);
    }

    /// Computes the gradient of these tokens' rows of hidden from that of the logits.
    void hiddenGradient(
            int t, int tokens, int v, int columns, float[] block, float[] d, int at, boolean add) {
        var left = new Operand.Floats(block, 0, columns, true);
        Operand right = across.at((long) v * dim);
        Gemm.run(tokens, dim, columns, left, right, d, at + t * dim, dim, add);
    }

    /// Computes the gradient of these entries' rows of the weight from that of the logits.
    void weightGradient(
            int t, int tokens, int v, int columns, float[] block, float[] d, int at, boolean add) {
        var left = new Operand.Floats(block, 0, columns, false);
        var right = new Operand.Floats(hidden, offset + t * dim, dim, false);
        Gemm.run(columns, dim, tokens, left, right, d, at + v * dim, dim, add);
    }

    /// Like [#hiddenGradient], for a gradient of the logits that is 0 almost everywhere.
    void sparseHiddenGradient(
            int t, int tokens, int v, int columns, float[] block, float[] d, int at, boolean add) {
        Parallel.forRange(
                tokens,
                1,
                (from, to) -> {
                    for (int i = from; i < to; i++) {
                        int row = at + (t + i) * dim;
                        if (!add) {
                            Arrays.fill(d, row, row + dim, 0);
                        }
                        if (weight instanceof Operand.Floats w) {
                            LogitRows.addSparse(
                                    block,
                                    i * columns,
                                    columns,
                                    w.data(),
                                    w.offset() + v * dim,
                                    dim,
                                    d,
                                    row,
                                    dim);
                        } else {
                            addStored(block, i * columns, v, columns, d, row);
                        }
                    }
                });
    }

    /// Widens the rows of the weight that are needed, one by one.
    private void addStored(float[] block, int o, int v, int columns, float[] d, int row) {
        var stored = (StoredOperand) weight;
        float[] wide = Pool.floats().acquire(dim);
        for (int j = 0; j < columns; j++) {
            if (block[o + j] != 0) {
                stored.widen(v + j, 0, wide, 0, dim);
                LogitRows.addSparse(block, o + j, 1, wide, 0, dim, d, row, dim);
            }
        }
        Pool.floats().release(wide);
    }

    /// Like [#weightGradient], for a gradient of the logits that is 0 almost everywhere.
    void sparseWeightGradient(
            int t, int tokens, int v, int columns, float[] block, float[] d, int at, boolean add) {
        int ranges = (columns + RANGE - 1) / RANGE;
        Parallel.forRange(
                ranges,
                1,
                (from, to) -> {
                    for (int range = from; range < to; range++) {
                        int first = range * RANGE;
                        int count = Math.min(RANGE, columns - first);
                        int row = at + (v + first) * dim;
                        if (!add) {
                            Arrays.fill(d, row, row + count * dim, 0);
                        }
                        for (int i = 0; i < tokens; i++) {
                            LogitRows.spreadSparse(
                                    block,
                                    i * columns + first,
                                    count,
                                    hidden,
                                    offset + (t + i) * dim,
                                    d,
                                    row,
                                    dim,
                                    dim);
                        }
                    }
                });
    }
}
