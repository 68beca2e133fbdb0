package io.github.panagrad.nn.data;

import io.github.panagrad.engine.ground.PanagradException;
import java.util.List;

/// Rows of tokens with a label each.
///
/// @param rows tokens
/// @param labels the number of each row's label
/// @param names the names of the labels
@SuppressWarnings("ArrayRecordComponent")
public record LabelledRows(List<int[]> rows, int[] labels, List<String> names) {
    /// Copies, and checks that each row has a label that has a name.
    public LabelledRows {
        rows = List.copyOf(rows);
        labels = labels.clone();
        names = List.copyOf(names);
        if (rows.size() != labels.length) {
            throw new PanagradException(
                    "labelled rows",
                    "not a label a row",
                    labels.length + " labels",
                    "" + rows.size(),
                    "");
        }
        for (int label : labels) {
            if (label < 0 || label >= names.size()) {
                throw new PanagradException(
                        "labelled rows",
                        "a label has no name",
                        "" + label,
                        "0 to " + (names.size() - 1),
                        "");
            }
        }
    }

    /// Returns how many rows there are.
    public int size() {
        return labels.length;
    }

    /// Returns the same with labels made wrong at random.
    public LabelledRows with(LabelNoise noise) {
        int[] noisy = new int[labels.length];
        for (int i = 0; i < noisy.length; i++) {
            noisy[i] = noise.apply(i, labels[i]);
        }
        return new LabelledRows(rows, noisy, names);
    }
}
