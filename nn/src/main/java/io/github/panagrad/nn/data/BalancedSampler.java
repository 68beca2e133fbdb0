package io.github.panagrad.nn.data;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Draws batches with several rows of each of some classes, for losses that compare rows of a class.
///
/// Rare classes come up as often as common ones. Each class is gone through in a shuffled order before
/// a row of it comes again. The same seed and epoch give the same batches.
public final class BalancedSampler {
    private final int rows;
    private final List<int[]> classes;
    private final int perClass;
    private final int size;
    private final long seed;

    private BalancedSampler(int rows, List<int[]> classes, int perClass, int size, long seed) {
        this.rows = rows;
        this.classes = classes;
        this.perClass = perClass;
        this.size = size;
        this.seed = seed;
    }

    /// Creates a sampler.
    ///
    /// @param labels a class a row
    /// @param perClass how many rows of a class a batch has; a class of fewer rows repeats them
    /// @param size how many rows a batch has
    /// @param seed decides the order
    /// @throws PanagradException if there are no rows, or those of a batch cannot be shared out
    public static BalancedSampler of(int[] labels, int perClass, int size, long seed) {
        if (labels.length == 0 || perClass < 1 || size < perClass || size % perClass != 0) {
            throw new PanagradException(
                    "sampler",
                    "rows do not share out to classes",
                    labels.length + " rows; batches of " + size + ", " + perClass + " of a class",
                    "a batch size that the rows of a class divide",
                    "");
        }
        List<int[]> classes =
                Arrays.stream(labels)
                        .distinct()
                        .sorted()
                        .mapToObj(label ->
                                IntStream.range(0, labels.length)
                                        .filter(i -> labels[i] == label)
                                        .toArray())
                        .toList();
        return new BalancedSampler(labels.length, classes, perClass, size, seed);
    }

    /// Returns how many batches an epoch has: as many as give out as many rows as there are.
    public int batchesPerEpoch() {
        return Math.ceilDiv(rows, size);
    }

    /// Returns the batches of an epoch, each the numbers of its rows.
    public List<int[]> epoch(int epoch) {
        var draws = Rng.of(seed);
        draws.seek((long) epoch << 32);
        int[][] queues = new int[classes.size()][];
        int[] places = new int[classes.size()];
        int[] order = new int[0];
        int next = 0;
        var batches = new ArrayList<int[]>();
        for (int b = 0; b < batchesPerEpoch(); b++) {
            int[] batch = new int[size];
            for (int i = 0; i < size; i += perClass) {
                if (next == order.length) {
                    order = draws.draw().permutation(classes.size());
                    next = 0;
                }
                int c = order[next++];
                int[] members = classes.get(c);
                for (int k = i; k < i + perClass; k++) {
                    int place = places[c]++ % members.length;
                    if (place == 0) {
                        queues[c] = draws.draw().permutation(members.length);
                    }
                    batch[k] = members[queues[c][place]];
                }
            }
            batches.add(batch);
        }
        return batches;
    }
}
