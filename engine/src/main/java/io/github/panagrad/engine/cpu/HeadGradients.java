package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.spi.View;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Adds up the gradients of hidden and weight from blocks that hold that of the logits, in the order
/// of the blocks: the tokens of a range of the vocabulary, then the next range.
///
/// The rows of hidden's gradient are those of the live tokens, without gaps, until [#finish]. For a
/// vocabulary in another order, the gradients of a range of weights are put where they belong when the
/// range is done.
final class HeadGradients implements HeadSweep.BlockBody, AutoCloseable {
    /// What a block adds to one of the gradients.
    @FunctionalInterface
    private interface Product {
        /// Writes it to rows of a gradient, or adds it to them.
        void into(float[] d, int at, boolean add);
    }

    private final LiveTokens tokens;
    private final int dim;
    private final @Nullable View dHidden;
    private final @Nullable View dWeight;
    private final @Nullable GradientFilter filter;
    private final int @Nullable [] order;

    /// Rows of the gradient of the weight, where they do not go straight to their place.
    private final float @Nullable [] ordered;

    /// What a block adds, what rounding lost of hidden's gradient, and of the range's weights';
    /// empty where sums are plain.
    private final float[] product;

    private final float[] lostHidden;
    private final float[] lostWeight;

    HeadGradients(LiveTokens tokens, @Nullable View dHidden, @Nullable View dWeight) {
        this(tokens, HeadOptions.DEFAULT, new HeadBlocks(0, 0, true), null, null, dHidden, dWeight);
    }

    /// @param order the order of the vocabulary; null for its own
    HeadGradients(
            LiveTokens tokens,
            HeadOptions options,
            HeadBlocks blocks,
            @Nullable GradientFilter filter,
            int @Nullable [] order,
            @Nullable View dHidden,
            @Nullable View dWeight) {
        this.tokens = tokens;
        this.filter = filter;
        this.order = order;
        this.dHidden = dHidden;
        this.dWeight = dWeight;
        dim = dHidden != null ? dHidden.dim(1) : dWeight != null ? dWeight.dim(1) : 0;
        boolean sumsHidden = dHidden != null && options.compensateHidden();
        boolean sumsWeight = dWeight != null && options.compensateWeight();
        ordered = order != null && dWeight != null ? scratch(true, blocks.vocabulary()) : null;
        lostHidden = scratch(sumsHidden, tokens.count());
        lostWeight = scratch(sumsWeight, blocks.vocabulary());
        product = scratch(sumsHidden || sumsWeight, Math.max(blocks.tokens(), blocks.vocabulary()));
    }

    private float[] scratch(boolean needed, int rows) {
        return needed
                ? Pool.floats().acquire(Math.multiplyExact(Math.max(1, rows), dim))
                : new float[0];
    }

    @Override
    public void run(int t, int count, int v, float[] block, HeadMatrices matrices) {
        if (filter != null) {
            filter.decide(count, block, matrices.vocabulary());
        }
        if (dHidden != null) {
            Product hidden = ofHidden(count, block, matrices);
            int at = dHidden.offset() + t * dim;
            add(hidden, dHidden.floats(), at, lostHidden, t * dim, count * dim, v == 0);
        }
        if (dWeight != null) {
            Product weight = ofWeight(t, count, block, matrices);
            float[] d = ordered != null ? ordered : dWeight.floats();
            int at = ordered != null ? 0 : dWeight.offset() + v * dim;
            add(weight, d, at, lostWeight, 0, matrices.vocabulary() * dim, t == 0);
        }
    }

    private Product ofHidden(int count, float[] block, HeadMatrices matrices) {
        return filter != null && filter.ofHidden()
                ? (d, at, add) -> filter.hiddenGradient(count, block, matrices, d, at, add)
                : (d, at, add) ->
                        matrices.hiddenGradient(
                                0, count, 0, matrices.vocabulary(), exact(block), d, at, add);
    }

    private Product ofWeight(int t, int count, float[] block, HeadMatrices matrices) {
        return filter != null && filter.ofWeight()
                ? (d, at, add) -> filter.weightGradient(t, count, block, matrices, d, at, add)
                : (d, at, add) ->
                        matrices.weightGradient(
                                t, 0, count, 0, matrices.vocabulary(), exact(block), d, at, add);
    }

    /// Returns the whole gradient of a block's logits.
    private float[] exact(float[] block) {
        return filter == null ? block : filter.exact(block);
    }

    private void add(Product part, float[] d, int at, float[] lost, int lo, int n, boolean first) {
        if (lost.length == 0) {
            part.into(d, at, !first);
            return;
        }
        part.into(product, 0, false);
        if (first) {
            TwoSum.first(d, at, lost, lo, product, n);
        } else {
            TwoSum.add(d, at, lost, lo, product, n);
        }
    }

    @Override
    public void rangeDone(int v, int columns) {
        if (dWeight == null) {
            return;
        }
        float[] d = dWeight.floats();
        int at = dWeight.offset();
        if (lostWeight.length > 0) {
            float[] sums = ordered != null ? ordered : d;
            TwoSum.finish(sums, ordered != null ? 0 : at + v * dim, lostWeight, 0, columns * dim);
        }
        if (ordered != null && order != null) {
            for (int j = 0; j < columns; j++) {
                System.arraycopy(ordered, j * dim, d, at + order[v + j] * dim, dim);
            }
        }
    }

    /// Moves the rows of hidden's gradient to their tokens, and zeroes what no live token touched.
    void finish() {
        if (dHidden != null) {
            if (lostHidden.length > 0) {
                int n = tokens.count() * dim;
                TwoSum.finish(dHidden.floats(), dHidden.offset(), lostHidden, 0, n);
            }
            if (!tokens.all()) {
                tokens.spread(dHidden.floats(), dHidden.offset(), dim);
            }
        }
        if (dWeight != null && tokens.count() == 0) {
            int from = dWeight.offset();
            Arrays.fill(dWeight.floats(), from, from + dWeight.size(), 0);
        }
    }

    /// Gives the scratch memory back.
    @Override
    public void close() {
        for (float[] scratch :
                new float[] @Nullable [] {ordered, product, lostHidden, lostWeight}) {
            if (scratch != null && scratch.length > 0) {
                Pool.floats().release(scratch);
            }
        }
    }
}
