package io.github.panagrad.adapters;

import io.github.panagrad.engine.AttentionOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.models.Sequence;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Moves a sequence's tokens behind some learned keys; the last answer is kept, since all layers of a
/// pass ask the same.
///
/// Where several sequences share a row, each has a copy of the keys in front of the row, so that
/// segments keep them apart: copy i, from 1, is of segment i.
final class ShiftedPositions {
    private volatile @Nullable Shifted last;

    /// What became of a sequence.
    ///
    /// @param copies how many times the keys stand in front of a row
    record Shifted(Sequence from, Sequence sequence, int copies) {
        /// Returns a context with the sequence.
        Context in(Context context) {
            return context.with(Sequence.KEY, sequence);
        }
    }

    /// Returns a sequence whose tokens stand `count` positions further back, and whose masks begin with
    /// the keys in front of them.
    Shifted behind(int count, Context context) {
        Sequence sequence = context.get(Sequence.KEY);
        Shifted known = last;
        if (known == null || known.from != sequence) {
            known = shift(sequence, count);
            last = known;
        }
        return known;
    }

    private static Shifted shift(Sequence sequence, int count) {
        Tensor positions = sequence.positions();
        int[] moved = positions.toInts();
        for (int i = 0; i < moved.length; i++) {
            moved[i] += count;
        }
        Tensor behind = Ops.indices(moved, positions.shape().toArray());
        AttentionOptions attention = sequence.attention();
        int copies = 1;
        Tensor segments = attention.segments();
        if (segments != null) {
            copies = Math.max(1, Arrays.stream(segments.toInts()).max().orElse(1));
            int width = copies * count;
            int[] owners = new int[segments.dim(0) * width];
            Arrays.setAll(owners, i -> i % width / count + 1);
            attention = attention.segments(before(owners, segments));
        }
        Tensor mask = attention.keyMask();
        if (mask != null) {
            int[] open = new int[mask.dim(0) * copies * count];
            Arrays.fill(open, 1);
            attention = attention.keyMask(before(open, mask));
        }
        return new Shifted(
                sequence,
                new Sequence(behind.to(positions.device()).keep(), attention, sequence.cache()),
                copies);
    }

    /// Puts entries in front of each row. Shapes: own (B, T) → (B, P + T).
    private static Tensor before(int[] entries, Tensor own) {
        int rows = own.dim(0);
        Tensor front = Ops.indices(entries, rows, entries.length / rows);
        return Ops.concat(1, front.to(own.dtype()).to(own.device()), own).keep();
    }
}
