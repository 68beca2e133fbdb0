package io.github.panagrad.nn.data;

import io.github.panagrad.engine.ground.PanagradException;
import java.util.List;

/// Rows of tokens with a number each.
///
/// @param rows tokens
/// @param values the number of each row
@SuppressWarnings("ArrayRecordComponent")
public record ValuedRows(List<int[]> rows, double[] values) {
    /// Copies, and checks that each row has a number.
    public ValuedRows {
        rows = List.copyOf(rows);
        values = values.clone();
        if (rows.size() != values.length) {
            throw new PanagradException(
                    "valued rows", "not a number a row", values.length + "", "" + rows.size(), "");
        }
    }
}
