package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.spi.View;
import java.util.Arrays;

/// The operands of a head, hidden [n, D] and some rows of the weight [V, D], and the products with a
/// block of logits.
///
/// The weight may be of a type that is only stored; it is widened while it is packed.
///
/// @param hidden the rows of the tokens
/// @param offset position of the first row
/// @param weight the weight with its D steps contiguous, as the logits need it
/// @param across the weight with its rows as steps, as the gradient of hidden needs it
/// @param dim D
/// @param vocabulary rows of the weight
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

    /// Returns the same with `columns` rows of the weight, from `v` on.
    HeadMatrices range(int v, int columns) {
        long at = (long) v * dim;
        return new HeadMatrices(hidden, offset, weight.at(at), across.at(at), dim, columns);
    }

    /// Returns the same with rows of the weight that lie in an array.
    HeadMatrices with(float[] copy, int columns) {
        return new HeadMatrices(
                hidden,
                offset,
                new Operand.Floats(copy, 0, dim, true),
                new Operand.Floats(copy, 0, dim, false),
                dim,
                columns);
    }

    /// Copies a row of the weight, widened.
    void copyRow(int row, float[] to, int at) {
        if (weight instanceof Operand.Floats w) {
            System.arraycopy(w.data(), w.offset() + row * dim, to, at, dim);
        } else {
            ((StoredOperand) weight).widen(row, 0, to, at, dim);
        }
    }

    /// Computes the logits of `tokens` tokens from `t` on.
    void logits(int t, int tokens, float[] block) {
        var left = new Operand.Floats(hidden, offset + t * dim, dim, true);
        Gemm.run(tokens, vocabulary, dim, left, weight, block, 0, vocabulary, false);
    }

    /// Computes the gradient of some tokens' rows of hidden from that of their logits.
    ///
    /// @param row the first of the tokens in the block
    /// @param column the first of `count` columns to use
    /// @param at where the gradient of the first of the tokens is
    void hiddenGradient(
            int row,
            int tokens,
            int column,
            int count,
            float[] block,
            float[] d,
            int at,
            boolean add) {
        var left = new Operand.Floats(block, row * vocabulary + column, vocabulary, true);
        Operand right = across.at((long) column * dim);
        Gemm.run(tokens, dim, count, left, right, d, at, dim, add);
    }

    /// Computes the gradient of some entries' rows of the weight from that of the logits.
    ///
    /// @param t the first token of the block
    /// @param row the first of `tokens` tokens in the block to use
    /// @param column the first of the entries
    /// @param at where the gradient of the first of the entries is
    void weightGradient(
            int t,
            int row,
            int tokens,
            int column,
            int count,
            float[] block,
            float[] d,
            int at,
            boolean add) {
        var left = new Operand.Floats(block, row * vocabulary + column, vocabulary, false);
        var right = new Operand.Floats(hidden, offset + (t + row) * dim, dim, false);
        Gemm.run(count, dim, tokens, left, right, d, at, dim, add);
    }

    /// Like [#hiddenGradient], for a gradient of the logits that is 0 almost everywhere.
    void sparseHiddenGradient(int tokens, float[] block, float[] d, int at, boolean add) {
        int columns = vocabulary;
        Parallel.forRange(
                tokens,
                1,
                (from, to) -> {
                    for (int i = from; i < to; i++) {
                        int row = at + i * dim;
                        if (!add) {
                            Arrays.fill(d, row, row + dim, 0);
                        }
                        if (weight instanceof Operand.Floats w) {
                            LogitRows.addSparse(
                                    block,
                                    i * columns,
                                    columns,
                                    w.data(),
                                    w.offset(),
                                    dim,
                                    d,
                                    row,
                                    dim);
                        } else {
                            addStored(block, i * columns, d, row);
                        }
                    }
                });
    }

    /// Widens the rows of the weight that are needed, one by one.
    private void addStored(float[] block, int o, float[] d, int row) {
        var stored = (StoredOperand) weight;
        float[] wide = Pool.floats().acquire(dim);
        for (int j = 0; j < vocabulary; j++) {
            if (block[o + j] != 0) {
                stored.widen(j, 0, wide, 0, dim);
                LogitRows.addSparse(block, o + j, 1, wide, 0, dim, d, row, dim);
            }
        }
        Pool.floats().release(wide);
    }

    /// Like [#weightGradient], for a gradient of the logits that is 0 almost everywhere.
    void sparseWeightGradient(int t, int tokens, float[] block, float[] d, int at, boolean add) {
        int ranges = (vocabulary + RANGE - 1) / RANGE;
        Parallel.forRange(
                ranges,
                1,
                (from, to) -> {
                    for (int range = from; range < to; range++) {
                        int first = range * RANGE;
                        int count = Math.min(RANGE, vocabulary - first);
                        int row = at + first * dim;
                        if (!add) {
                            Arrays.fill(d, row, row + count * dim, 0);
                        }
                        for (int i = 0; i < tokens; i++) {
                            LogitRows.spreadSparse(
                                    block,
                                    i * vocabulary + first,
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
