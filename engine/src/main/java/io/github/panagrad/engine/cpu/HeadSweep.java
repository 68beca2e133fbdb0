package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.spi.View;
import org.jspecify.annotations.Nullable;

/// Passes over the logits of a head, block by block: what all losses over a vocabulary have in
/// common.
final class HeadSweep implements AutoCloseable {
    /// Logits that are worth a thread's while.
    private static final int GRAIN = 16384;

    /// A block whose gradient has fewer entries than one in so many is multiplied entry by entry.
    private static final int SPARSE = 16;

    /// What is done to the part of a token's logits that a block holds.
    @FunctionalInterface
    interface RowBody {
        /// Works on `n` logits of live token i from `o` on, those of the entries from `first` on.
        void run(int i, float[] block, int o, int n, int first);
    }

    /// What is done to a block when its rows are done.
    @FunctionalInterface
    interface BlockBody {
        /// Works on the logits of `tokens` tokens from `t` on and `columns` entries from `v` on.
        void run(int t, int tokens, int v, int columns, float[] block);
    }

    private final LiveTokens tokens;
    private final HeadMatrices matrices;
    private final float cap;
    private final boolean sparse;
    private final float @Nullable [] gathered;

    /// Prepares passes over the logits of the live tokens.
    HeadSweep(HeadOptions options, LiveTokens tokens, View hidden, View weight, double filter) {
        this.tokens = tokens;
        cap = (float) options.softCap();
        sparse = filter > 0;
        gathered =
                tokens.all()
                        ? null
                        : tokens.gather(hidden.floats(), hidden.offset(), hidden.dim(1));
        matrices =
                gathered == null
                        ? HeadMatrices.of(hidden.floats(), hidden.offset(), weight)
                        : HeadMatrices.of(gathered, 0, weight);
    }

    /// Computes every block and hands out its rows, then the block.
    void run(HeadBlocks blocks, RowBody perRow, BlockBody perBlock) {
        int most = Math.min(blocks.tokens(), tokens.count());
        float[] block = Pool.floats().acquire(Math.multiplyExact(most, blocks.vocabulary()));
        for (int v = 0; v < matrices.vocabulary(); v += blocks.vocabulary()) {
            int columns = Math.min(blocks.vocabulary(), matrices.vocabulary() - v);
            for (int t = 0; t < tokens.count(); t += blocks.tokens()) {
                int count = Math.min(blocks.tokens(), tokens.count() - t);
                matrices.logits(t, count, v, columns, block);
                rows(t, count, v, columns, block, perRow);
                perBlock.run(t, count, v, columns, block);
            }
        }
        Pool.floats().release(block);
    }

    private void rows(int t, int count, int v, int columns, float[] block, RowBody body) {
        Parallel.forRange(
                count,
                Math.max(1, GRAIN / columns),
                (from, to) -> {
                    for (int i = from; i < to; i++) {
                        int o = i * columns;
                        if (cap != 0) {
                            LogitRows.cap(block, o, columns, cap);
                        }
                        body.run(t + i, block, o, columns, v);
                    }
                });
    }

    /// Adds up the gradients of hidden and weight from a block that holds that of the logits.
    ///
    /// The rows of hidden's gradient are those of the live tokens, without gaps.
    void multiply(
            int t,
            int count,
            int v,
            int columns,
            float[] block,
            @Nullable View dHidden,
            @Nullable View dWeight) {
        boolean few = sparse && isSparse(count, columns, block);
        if (dHidden != null) {
            float[] d = dHidden.floats();
            if (few) {
                matrices.sparseHiddenGradient(
                        t, count, v, columns, block, d, dHidden.offset(), v > 0);
            } else {
                matrices.hiddenGradient(t, count, v, columns, block, d, dHidden.offset(), v > 0);
            }
        }
        if (dWeight != null) {
            float[] d = dWeight.floats();
            if (few) {
                matrices.sparseWeightGradient(
                        t, count, v, columns, block, d, dWeight.offset(), t > 0);
            } else {
                matrices.weightGradient(t, count, v, columns, block, d, dWeight.offset(), t > 0);
            }
        }
    }

    private static boolean isSparse(int count, int columns, float[] block) {
        long entries = 0;
        for (int i = 0; i < count; i++) {
            entries += LogitRows.count(block, i * columns, columns);
        }
        return entries * SPARSE < (long) count * columns;
    }

    /// Moves the rows of hidden's gradient to their tokens, and zeroes what no live token touched.
    void finish(@Nullable View dHidden, @Nullable View dWeight) {
        if (dHidden != null && !tokens.all()) {
            tokens.spread(dHidden.floats(), dHidden.offset(), dHidden.dim(1));
        }
        if (dWeight != null && tokens.count() == 0) {
            int from = dWeight.offset();
            java.util.Arrays.fill(dWeight.floats(), from, from + dWeight.size(), 0);
        }
    }

    /// Gives the scratch memory back.
    @Override
    public void close() {
        if (gathered != null) {
            Pool.floats().release(gathered);
        }
    }
}
