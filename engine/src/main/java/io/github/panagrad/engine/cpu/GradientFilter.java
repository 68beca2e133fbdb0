package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.HeadFilter;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import java.util.Arrays;

/// Leaves out of a block of the logits' gradient what [HeadFilter] finds too small, and adds up how
/// much that is.
///
/// Entry by entry it writes zeros, and a block with few other entries left is multiplied entry by
/// entry. In blocks of several it notes the largest |G| of each token's part and multiplies the blocks
/// that stay.
final class GradientFilter implements AutoCloseable {
    /// A block whose gradient has fewer entries than one in so many is multiplied entry by entry.
    private static final int SPARSE = 16;

    private final HeadFilter filter;
    private final LogitGradient gradient;
    private final int high;
    private final int wide;
    private final int rows;

    /// The gradient with nothing left out, where one of the two products needs it; else empty.
    private final float[] exact;

    /// For each token of the block and part of its entries, the largest |G| and their sum.
    private final float[] largest;

    private final float[] sums;
    private final boolean[] kept;
    private double dropped;
    private double all;
    private boolean sparse;

    GradientFilter(HeadFilter filter, LogitGradient gradient, HeadBlocks blocks) {
        this.filter = filter;
        this.gradient = gradient;
        high = filter.tokens();
        wide = filter.entries();
        rows = blocks.tokens();
        boolean entrywise = filter.isEntrywise();
        exact =
                entrywise && !(filter.hidden() && filter.weight())
                        ? Pool.floats().acquire(Math.multiplyExact(rows, blocks.vocabulary()))
                        : new float[0];
        int parts = entrywise ? 0 : rows * Math.ceilDiv(blocks.vocabulary(), wide);
        largest = new float[parts];
        sums = entrywise ? new float[0] : new float[parts];
        kept = new boolean[parts];
    }

    /// Tells whether the gradient of hidden is filtered.
    boolean ofHidden() {
        return filter.hidden();
    }

    /// Tells whether the gradient of the weight is filtered.
    boolean ofWeight() {
        return filter.weight();
    }

    /// Replaces `n` logits of token i by their gradient, and looks at how large it is.
    void row(int i, float[] z, int o, int n, int first, int wanted) {
        if (!filter.isEntrywise()) {
            measure(i, z, o, n, wanted - first);
            gradient.run(i, z, o, n, first, wanted);
            return;
        }
        if (exact.length > 0) {
            System.arraycopy(z, o, exact, o, n);
            gradient.run(i, exact, o, n, first, wanted);
        }
        gradient.filtered(i, z, o, n, first, wanted, filter.threshold());
    }

    private void measure(int i, float[] z, int o, int n, int wanted) {
        int parts = Math.ceilDiv(n, wide);
        int at = i % rows * parts;
        Arrays.fill(largest, at, at + parts, 0);
        Arrays.fill(sums, at, at + parts, 0);
        for (int part = 0; part < parts; part++) {
            int from = part * wide;
            int end = Math.min(n, from + wide);
            if (wanted >= from && wanted < end) {
                gradient.size(i, z, o + from, wanted - from, largest, sums, at + part);
                float own = Math.abs((float) gradient.ofTarget(i, z[o + wanted]));
                largest[at + part] = Math.max(largest[at + part], own);
                sums[at + part] += own;
                from = wanted + 1;
            }
            gradient.size(i, z, o + from, end - from, largest, sums, at + part);
        }
    }

    /// Decides what flows on from a block whose rows are done.
    void decide(int count, float[] block, int columns) {
        if (filter.isEntrywise()) {
            sparse = isSparse(count, columns, block);
            return;
        }
        int parts = Math.ceilDiv(columns, wide);
        for (int from = 0; from < count; from += high) {
            int end = Math.min(count, from + high);
            for (int part = 0; part < parts; part++) {
                float most = 0;
                double sum = 0;
                for (int i = from; i < end; i++) {
                    most = Math.max(most, largest[i * parts + part]);
                    sum += sums[i * parts + part];
                }
                boolean keeps = most >= filter.threshold();
                kept[from / high * parts + part] = keeps;
                all += sum;
                dropped += keeps ? 0 : sum;
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

    /// Returns the gradient of a block with nothing left out.
    float[] exact(float[] block) {
        return exact.length > 0 ? exact : block;
    }

    /// Computes the gradient of the rows of hidden from what flows on.
    void hiddenGradient(
            int count, float[] block, HeadMatrices matrices, float[] d, int at, boolean add) {
        int columns = matrices.vocabulary();
        if (filter.isEntrywise()) {
            if (sparse) {
                matrices.sparseHiddenGradient(count, block, d, at, add);
            } else {
                matrices.hiddenGradient(0, count, 0, columns, block, d, at, add);
            }
            return;
        }
        int dim = matrices.dim();
        int parts = Math.ceilDiv(columns, wide);
        Parallel.forRange(
                Math.ceilDiv(count, high),
                1,
                (first, last) -> {
                    for (int strip = first; strip < last; strip++) {
                        int row = strip * high;
                        int tall = Math.min(high, count - row);
                        int to = at + row * dim;
                        if (!add) {
                            Arrays.fill(d, to, to + tall * dim, 0);
                        }
                        for (int from = 0, end; from < parts; from = end) {
                            end = runEnd(strip * parts + from, 1, parts - from) + from;
                            if (kept[strip * parts + from]) {
                                int column = from * wide;
                                int n = Math.min(columns, end * wide) - column;
                                matrices.hiddenGradient(row, tall, column, n, block, d, to, true);
                            }
                        }
                    }
                });
    }

    /// Computes the gradient of the rows of the weight from what flows on.
    void weightGradient(
            int t,
            int count,
            float[] block,
            HeadMatrices matrices,
            float[] d,
            int at,
            boolean add) {
        int columns = matrices.vocabulary();
        if (filter.isEntrywise()) {
            if (sparse) {
                matrices.sparseWeightGradient(t, count, block, d, at, add);
            } else {
                matrices.weightGradient(t, 0, count, 0, columns, block, d, at, add);
            }
            return;
        }
        int dim = matrices.dim();
        int parts = Math.ceilDiv(columns, wide);
        int strips = Math.ceilDiv(count, high);
        Parallel.forRange(
                parts,
                1,
                (first, last) -> {
                    for (int part = first; part < last; part++) {
                        int column = part * wide;
                        int n = Math.min(wide, columns - column);
                        int to = at + column * dim;
                        if (!add) {
                            Arrays.fill(d, to, to + n * dim, 0);
                        }
                        for (int from = 0, end; from < strips; from = end) {
                            end = runEnd(from * parts + part, parts, strips - from) + from;
                            if (kept[from * parts + part]) {
                                int row = from * high;
                                int tall = Math.min(count, end * high) - row;
                                matrices.weightGradient(
                                        t, row, tall, column, n, block, d, to, true);
                            }
                        }
                    }
                });
    }

    /// Returns how many of `most` flags, `step` apart, are as the first.
    private int runEnd(int at, int step, int most) {
        int n = 1;
        while (n < most && kept[at + n * step] == kept[at]) {
            n++;
        }
        return n;
    }

    /// Returns the share of Σ|G| that was left out.
    double droppedShare() {
        double lost = dropped + gradient.dropped();
        double total = all + gradient.all();
        return total == 0 ? 0 : lost / total;
    }

    /// Gives the scratch memory back.
    @Override
    public void close() {
        if (exact.length > 0) {
            Pool.floats().release(exact);
        }
    }
}
