package io.github.panagrad.nn.data;

import io.github.panagrad.engine.ground.PanagradException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// One sequence to train or evaluate on.
///
/// Labels are not shifted: `labels[t]` is the token at t, or [#IGNORED], and it is predicted from
/// the tokens before t. The shift happens where a batch is turned into targets.
///
/// @param inputIds the tokens; not to be modified
/// @param labels for each token itself where it counts, [#IGNORED] where it does not; not to be
///     modified
/// @param tag a number that travels with the example through shuffling and packing, such as a task
public record Example(int[] inputIds, int[] labels, int tag) {
    /// The label of a token that takes no part in the loss.
    public static final int IGNORED = -100;

    /// Checks that tokens and labels are equally many.
    ///
    /// @throws PanagradException if they are not, or there are none
    public Example {
        if (inputIds.length != labels.length || inputIds.length == 0) {
            throw new PanagradException(
                    "example",
                    "tokens and labels do not pair up",
                    inputIds.length + " tokens and " + labels.length + " labels",
                    "as many labels as tokens, at least one",
                    "");
        }
    }

    /// Makes an example in which every token counts.
    public static Example of(int... ids) {
        return new Example(ids, ids, 0);
    }

    /// Returns the example with another tag.
    public Example withTag(int tag) {
        return new Example(inputIds, labels, tag);
    }

    /// Returns the number of tokens.
    public int length() {
        return inputIds.length;
    }

    /// Returns how many tokens are predicted; the first never is.
    public int predicted() {
        int n = 0;
        for (int t = 1; t < labels.length; t++) {
            n += labels[t] == IGNORED ? 0 : 1;
        }
        return n;
    }

    /// Returns how many tokens stand before the first that counts.
    public int promptLength() {
        int n = 0;
        while (n < labels.length && labels[n] == IGNORED) {
            n++;
        }
        return n;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Example e
                && Arrays.equals(inputIds, e.inputIds)
                && Arrays.equals(labels, e.labels)
                && tag == e.tag;
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(inputIds) + Arrays.hashCode(labels) + tag;
    }

    @Override
    public String toString() {
        return "example of " + length() + " tokens, " + predicted() + " predicted, tag " + tag;
    }
}
