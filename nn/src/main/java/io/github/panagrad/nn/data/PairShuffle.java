package io.github.panagrad.nn.data;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// Gives some rows the answers of others, for experiments with methods that bear noise. No hit row
/// keeps its own answer, and none is lost.
///
/// Which rows are hit depends on the seed and the row alone; who gets whose, on all hit rows.
public final class PairShuffle {
    private final int[] source;

    private PairShuffle(int[] source) {
        this.source = source;
    }

    /// Decides about rows.
    ///
    /// @param rows how many there are
    /// @param rate the share that is hit, from 0 to 1; a single hit row stays as it is
    public static PairShuffle of(int rows, double rate, long seed) {
        if (!(rows >= 0 && rate >= 0 && rate <= 1)) {
            throw new PanagradException(
                    "pairShuffle",
                    "out of range",
                    rows + " rows, rate " + rate,
                    "rows >= 0, a rate from 0 to 1",
                    "");
        }
        var hits = new Rng.Draw(seed, 0);
        int[] hit = IntStream.range(0, rows).filter(row -> hits.uniform(row) < rate).toArray();
        int[] order = new Rng.Draw(seed, 1).permutation(hit.length);
        int[] source = IntStream.range(0, rows).toArray();
        // One round through all of them: each gets the answer of the next.
        for (int i = 0; i < order.length; i++) {
            source[hit[order[i]]] = hit[order[(i + 1) % order.length]];
        }
        return new PairShuffle(source);
    }

    /// Returns the row whose answer a row gets.
    public int source(int row) {
        return source[row];
    }

    /// Tells whether a row has the answer of another.
    public boolean isHit(int row) {
        return source[row] != row;
    }

    /// Returns answers in the order in which rows get them.
    ///
    /// @throws PanagradException if there are not as many answers as rows
    public <T> List<T> apply(List<T> answers) {
        if (answers.size() != source.length) {
            throw new PanagradException(
                    "pairShuffle", "other rows", "" + answers.size(), "" + source.length, "");
        }
        var shuffled = new ArrayList<T>();
        for (int from : source) {
            shuffled.add(answers.get(from));
        }
        return List.copyOf(shuffled);
    }
}
