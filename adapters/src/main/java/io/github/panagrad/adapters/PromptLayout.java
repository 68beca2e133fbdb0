package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.models.Sequence;
import org.jspecify.annotations.Nullable;

/// Lays rows out anew with a learned prompt in front of every sequence in them; the last answer is
/// kept, since all layers of a pass ask the same.
final class PromptLayout {
    private volatile @Nullable Layout last;

    /// The new layout of rows.
    ///
    /// Shapes: in (B, T'), where entries below the prompt's length P are its rows and P + i is the i-th
    /// token; out (B, T), the places of the tokens.
    record Layout(Sequence from, Sequence sequence, Tensor in, Tensor out) {
        /// Puts the prompt in. Shapes: prompt (P, C), tokens (B, T, C) → (B, T', C).
        Tensor with(Tensor prompt, Tensor tokens) {
            int width = prompt.dim(1);
            Tensor all =
                    Ops.concat(0, prompt, tokens.reshape(tokens.dim(0) * tokens.dim(1), width));
            return all.indexSelect(0, flat(in)).reshape(tokens.dim(0), in.dim(1), width);
        }

        /// Takes the prompt out. Shapes: (B, T', C) → (B, T, C).
        Tensor without(Tensor x) {
            int width = x.dim(2);
            return x.reshape(x.dim(0) * x.dim(1), width)
                    .indexSelect(0, flat(out))
                    .reshape(x.dim(0), out.dim(1), width);
        }

        private static Tensor flat(Tensor places) {
            return places.reshape((int) places.size());
        }

        /// Returns a context with the new sequence.
        Context in(Context context) {
            return context.with(Sequence.KEY, sequence);
        }
    }

    /// Returns the layout for a pass.
    ///
    /// @param count P, the prompt's length
    /// @param rows B
    Layout of(Context context, int count, int rows) {
        Sequence sequence = context.get(Sequence.KEY);
        Layout known = last;
        if (known == null || known.from != sequence || known.in.dim(0) != rows) {
            known = new Rows(sequence, count, rows).layout();
            last = known;
        }
        return known;
    }

    /// The rows as they are filled.
    private static final class Rows {
        private final Sequence sequence;
        private final int count;
        private final int rows;
        private final int length;
        private final int[] positions;
        private final int @Nullable [] segments;

        Rows(Sequence sequence, int count, int rows) {
            this.sequence = sequence;
            this.count = count;
            this.rows = rows;
            length = sequence.positions().dim(-1);
            positions = sequence.positions().toInts();
            Tensor packed = sequence.attention().segments();
            segments = packed == null ? null : packed.toInts();
        }

        /// Tells whether a sequence begins at a token: with the row, or with another segment.
        private boolean begins(int row, int t) {
            int at = row * length + t;
            return t == 0
                    || segments != null && segments[at] != 0 && segments[at] != segments[at - 1];
        }

        private int prompts(int row) {
            int prompts = 0;
            for (int t = 0; t < length; t++) {
                prompts += begins(row, t) ? 1 : 0;
            }
            return prompts;
        }

        Layout layout() {
            int most = 1;
            for (int row = 0; row < rows; row++) {
                most = Math.max(most, prompts(row));
            }
            int wide = length + most * count;
            int[] in = new int[rows * wide];
            int[] out = new int[rows * length];
            int[] places = new int[rows * wide];
            // What is left over at the end of a row belongs to no sequence.
            int[] owners = new int[rows * wide];
            for (int row = 0; row < rows; row++) {
                int next = row * wide;
                for (int t = 0; t < length; t++) {
                    int at = row * length + t;
                    int owner = segments == null ? 1 : segments[at];
                    for (int i = 0; i < (begins(row, t) ? count : 0); i++, next++) {
                        in[next] = i;
                        places[next] = i;
                        owners[next] = owner;
                    }
                    in[next] = count + at;
                    out[at] = next;
                    places[next] = positions[positions.length == length ? t : at] + count;
                    owners[next++] = owner;
                }
            }
            var attention = sequence.attention();
            boolean packed = segments != null;
            return new Layout(
                    sequence,
                    new Sequence(
                            here(places, wide),
                            packed ? attention.segments(here(owners, wide)) : attention,
                            sequence.cache()),
                    here(in, wide),
                    here(out, length));
        }

        private Tensor here(int[] values, int width) {
            return Ops.indices(values, rows, width).to(sequence.positions().device()).keep();
        }
    }
}
