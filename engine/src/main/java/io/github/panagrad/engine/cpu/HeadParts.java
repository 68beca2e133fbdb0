package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.spi.View;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The weight of a head as blocks need it: a range of its rows after the other.
///
/// Rows of one tensor are used where they lie. Rows of several tensors, or in another order than their
/// own, are copied for the block, which costs what reading them once does.
final class HeadParts {
    private final HeadMatrices[] parts;

    /// The entry of the vocabulary that each part begins with, and the number of all.
    private final int[] starts;

    /// Names the tensors of the weight beside the rows of hidden.
    HeadParts(float[] hidden, int offset, List<View> weights) {
        parts = new HeadMatrices[weights.size()];
        starts = new int[parts.length + 1];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = HeadMatrices.of(hidden, offset, weights.get(i));
            starts[i + 1] = starts[i] + parts[i].vocabulary();
        }
    }

    /// Returns the number of rows of all parts.
    int vocabulary() {
        return starts[parts.length];
    }

    /// Returns memory for the copies of `columns` rows; null if none are made.
    float @Nullable [] copies(int columns, int @Nullable [] order) {
        boolean needed = parts.length > 1 || order != null;
        return needed ? Pool.floats().acquire(Math.multiplyExact(columns, parts[0].dim())) : null;
    }

    /// Returns the operands with `columns` rows of the weight from v on.
    ///
    /// @param order the entries in the order in which they are to come; null for their own
    HeadMatrices range(int v, int columns, int @Nullable [] order, float @Nullable [] copies) {
        if (copies == null) {
            return parts[0].range(v, columns);
        }
        int dim = parts[0].dim();
        Parallel.forRange(
                columns,
                Math.max(1, Elementwise.GRAIN / Math.max(1, dim)),
                (from, to) -> {
                    for (int j = from; j < to; j++) {
                        copy(order == null ? v + j : order[v + j], copies, j * dim);
                    }
                });
        return parts[0].with(copies, columns);
    }

    private void copy(int row, float[] to, int at) {
        int part = 0;
        while (row >= starts[part + 1]) {
            part++;
        }
        parts[part].copyRow(row - starts[part], to, at);
    }
}
