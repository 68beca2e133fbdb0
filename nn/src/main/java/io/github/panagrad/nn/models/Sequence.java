package io.github.panagrad.nn.models;

import io.github.panagrad.engine.AttentionOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Context;
import org.jspecify.annotations.Nullable;

/// What the attention layers of one forward pass have in common.
///
/// @param positions where each token stands, I32 (T) or (B, T)
/// @param attention which keys each query sees; a layer may narrow it to its window
/// @param cache keys and values of earlier tokens, null without
public record Sequence(Tensor positions, AttentionOptions attention, @Nullable KvCache cache) {
    /// Where models put it.
    public static final Context.Key<Sequence> KEY = new Context.Key<>("sequence");

    /// Returns the sequence of some rows of the batch, in the order named; this one if all rows are alike.
    public Sequence rows(int... rows) {
        boolean alike =
                positions.rank() < 2 && attention.keyMask() == null && attention.segments() == null;
        if (alike) {
            return this;
        }
        Tensor which = Ops.indices(rows, rows.length).to(positions.device());
        return new Sequence(
                positions.rank() < 2 ? positions : positions.indexSelect(0, which),
                attention
                        .keyMask(picked(attention.keyMask(), which))
                        .segments(picked(attention.segments(), which)),
                cache);
    }

    private static @Nullable Tensor picked(@Nullable Tensor byRow, Tensor which) {
        return byRow == null ? null : byRow.indexSelect(0, which);
    }
}
