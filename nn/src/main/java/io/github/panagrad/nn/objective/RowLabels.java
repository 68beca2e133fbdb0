package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.train.Objectives.Labelled;
import java.util.Arrays;

/// Reads the labels of a batch whose rows are compared with each other.
final class RowLabels {
    private RowLabels() {}

    /// Returns a label a row.
    ///
    /// @throws PanagradException if there is not one, or a row has none
    static int[] of(String objective, Labelled batch) {
        int[] labels = batch.labels().toInts();
        int rows = batch.input().ids().dim(0);
        if (labels.length != rows || Arrays.stream(labels).anyMatch(label -> label < 0)) {
            throw new PanagradException(
                    objective,
                    "rows are compared by their labels and not each has one",
                    rows + " rows, labels " + Arrays.toString(labels),
                    "a label from 0 a row",
                    "leave rows without a label out");
        }
        return labels;
    }

    /// Tells whether a class has two rows.
    static boolean havePair(int[] labels) {
        return Arrays.stream(labels).distinct().count() < labels.length;
    }
}
