package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.models.Sequence;
import org.jspecify.annotations.Nullable;

/// Moves a sequence's tokens behind some learned positions; the last answer is kept, since all layers
/// of a pass ask the same.
final class ShiftedPositions {
    private record Answer(Sequence from, Sequence to) {}

    private volatile @Nullable Answer last;

    /// Returns a context in which the tokens stand `count` positions further back.
    ///
    /// @param withOwn whether the positions in front are among those of the call
    Context behind(int count, boolean withOwn, Context context) {
        Sequence sequence = context.get(Sequence.KEY);
        Answer known = last;
        if (known == null || known.from != sequence) {
            known = new Answer(sequence, shift(sequence, count, withOwn));
            last = known;
        }
        return context.with(Sequence.KEY, known.to);
    }

    private static Sequence shift(Sequence sequence, int count, boolean withOwn) {
        if (sequence.attention().segments() != null) {
            throw new PanagradException(
                    "adapter",
                    "packed rows have no place for a prefix or prompt of each sequence",
                    "a batch with several sequences in a row",
                    "one sequence a row",
                    "batch without packing");
        }
        Tensor positions = sequence.positions();
        int length = positions.dim(-1);
        int rows = (int) (positions.size() / length);
        int[] own = positions.toInts();
        int front = withOwn ? count : 0;
        int[] moved = new int[rows * (front + length)];
        for (int row = 0; row < rows; row++) {
            int at = row * (front + length);
            for (int i = 0; i < front; i++) {
                moved[at + i] = i;
            }
            for (int i = 0; i < length; i++) {
                moved[at + front + i] = own[row * length + i] + count;
            }
        }
        int[] dims = positions.shape().toArray();
        dims[dims.length - 1] += front;
        return new Sequence(
                Ops.indices(moved, dims).to(positions.device()).keep(),
                sequence.attention(),
                sequence.cache());
    }
}
