package io.github.panagrad.nn.metrics;

import io.github.panagrad.engine.ground.Rng;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/// Parts of a small data set to test on in turn, each with the classes in the shares of the whole.
public final class StratifiedFolds {
    private StratifiedFolds() {}

    /// Returns the fold, from 0, of each row; folds of a class differ by one row at most.
    ///
    /// @param labels the classes of the rows, from 0
    /// @param folds how many, 2 to the number of rows
    /// @param seed the same one gives the same folds, for all arms of a comparison
    public static int[] of(int[] labels, int folds, long seed) {
        Checks.require(
                "folds",
                folds >= 2 && folds <= labels.length,
                "out of range",
                folds + " folds of " + labels.length + " rows",
                "2 to the number of rows");
        var draw = new Rng.Draw(seed, 0);
        int[] order =
                IntStream.range(0, labels.length)
                        .boxed()
                        .sorted(
                                Comparator.<Integer>comparingInt(i -> labels[i])
                                        .thenComparingInt(i -> draw.bits(i))
                                        .thenComparingInt(i -> i))
                        .mapToInt(Integer::intValue)
                        .toArray();
        int[] fold = new int[labels.length];
        Arrays.fill(fold, -1);
        // Dealt round in one go, so that the rest of each class goes to other folds.
        for (int i = 0; i < order.length; i++) {
            fold[order[i]] = i % folds;
        }
        return fold;
    }
}
