package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.spi.View;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Passes over the logits of a head, block by block: what all losses over a vocabulary have in
/// common.
final class HeadSweep implements AutoCloseable {
    /// Logits that are worth a thread's while.
    private static final int GRAIN = 16384;

    /// What is done to the part of a token's logits that a block holds.
    @FunctionalInterface
    interface RowBody {
        /// Works on `n` logits of live token i from `o` on, those of the entries from `first` on.
        void run(int i, float[] block, int o, int n, int first);
    }

    /// What is done to a block when its rows are done.
    @FunctionalInterface
    interface BlockBody {
        /// Works on the logits of `tokens` tokens from `t` on and the entries from `v` on that the
        /// matrices hold.
        void run(int t, int tokens, int v, float[] block, HeadMatrices matrices);

        /// Is told that no more tokens follow for these entries.
        default void rangeDone(int v, int columns) {}
    }

    private final LiveTokens tokens;
    private final HeadParts weight;
    private final float cap;
    private final float @Nullable [] gathered;

    /// Prepares passes over the logits of the live tokens.
    HeadSweep(HeadOptions options, LiveTokens tokens, View hidden, List<View> weights) {
        this.tokens = tokens;
        cap = (float) options.softCap();
        int dim = hidden.dim(1);
        gathered = tokens.isRun() ? null : tokens.gather(hidden.floats(), hidden.offset(), dim);
        weight =
                gathered == null
                        ? new HeadParts(
                                hidden.floats(), hidden.offset() + tokens.first() * dim, weights)
                        : new HeadParts(gathered, 0, weights);
    }

    /// Computes every block and hands out its rows, then the block.
    void run(HeadBlocks blocks, RowBody perRow, BlockBody perBlock) {
        run(blocks, null, perRow, perBlock);
    }

    /// Does so for the entries of the vocabulary in another order, or in their own for null.
    ///
    /// Their numbers are then those in that order.
    void run(HeadBlocks blocks, int @Nullable [] order, RowBody perRow, BlockBody perBlock) {
        int vocabulary = weight.vocabulary();
        int most = Math.min(blocks.tokens(), tokens.count());
        int wide = Math.min(blocks.vocabulary(), vocabulary);
        float[] block = Pool.floats().acquire(Math.multiplyExact(most, wide));
        float[] copies = weight.copies(wide, order);
        for (int v = 0; v < vocabulary; v += blocks.vocabulary()) {
            int columns = Math.min(blocks.vocabulary(), vocabulary - v);
            HeadMatrices range = weight.range(v, columns, order, copies);
            for (int t = 0; t < tokens.count(); t += blocks.tokens()) {
                int count = Math.min(blocks.tokens(), tokens.count() - t);
                range.logits(t, count, block);
                rows(t, count, v, columns, block, perRow);
                perBlock.run(t, count, v, block, range);
            }
            perBlock.rangeDone(v, columns);
        }
        if (copies != null) {
            Pool.floats().release(copies);
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

    /// Gives the scratch memory back.
    @Override
    public void close() {
        if (gathered != null) {
            Pool.floats().release(gathered);
        }
    }
}
