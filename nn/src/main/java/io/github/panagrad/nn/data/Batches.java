package io.github.panagrad.nn.data;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.IntStream;

/// Turns examples into batches: in order or shuffled, padded or packed, for one or several epochs.
///
/// ```java
/// for (Batch batch : Batches.of(data).size(8).packed(1024).shuffled(seed).epochs(3)) { … }
/// ```
///
/// The same examples, options and seed give the same batches. A [Cursor] tells where it stands, and
/// another one goes on from there. The setters change and return this object; do not call them
/// while iterating.
public final class Batches implements Iterable<Batch> {
    private final List<Example> examples;
    private int size = 1;
    private int group = 1;
    private int packedLength;
    private boolean shuffled;
    private long seed;
    private int epochs = 1;
    private int padId;

    private Batches(List<Example> examples) {
        this.examples = examples;
    }

    /// Creates batches over a data set.
    public static Batches of(Dataset data) {
        return of(data.examples());
    }

    /// Creates batches over a list of examples.
    ///
    /// @throws PanagradException if the list is empty
    public static Batches of(List<Example> examples) {
        if (examples.isEmpty()) {
            throw new PanagradException("batches", "no examples", "", "at least one", "");
        }
        return new Batches(List.copyOf(examples));
    }

    /// Keeps every `examples` neighbours of the data in one batch, such as the two answers of a pair;
    /// they are shuffled as one. 1, the default, keeps none.
    ///
    /// A padded batch then has `size` such groups, a row for each example; a packed row holds whole
    /// groups.
    ///
    /// @throws PanagradException if the examples are no multiple of it
    public Batches grouped(int examples) {
        this.group = positive("group size", examples);
        if (this.examples.size() % examples != 0) {
            throw new PanagradException(
                    "batches",
                    "the examples are no whole groups",
                    this.examples.size() + " examples",
                    "a multiple of " + examples,
                    "");
        }
        requireFit();
        return this;
    }

    /// Sets how many rows, or groups, a batch has; the last of an epoch may have fewer.
    public Batches size(int rows) {
        this.size = positive("batch size", rows);
        return this;
    }

    /// Gives every example a row of its own, as long as the batch's longest. The default.
    public Batches padded() {
        this.packedLength = 0;
        return this;
    }

    /// Fills rows of `length` tokens with as many examples as fit, kept apart by their segments.
    ///
    /// Each example goes, in order, into the fullest row that has room for it (best fit).
    ///
    /// @throws PanagradException if an example is longer than a row
    public Batches packed(int length) {
        this.packedLength = positive("packed length", length);
        requireFit();
        return this;
    }

    private void requireFit() {
        for (int i = 0; packedLength > 0 && i < examples.size() / group; i++) {
            if (groupLength(i) > packedLength) {
                throw new PanagradException(
                        "batches",
                        (group == 1 ? "example " : "group ") + i + " does not fit a packed row",
                        groupLength(i) + " tokens",
                        "at most " + packedLength,
                        "pack longer rows, or cut examples when reading them");
            }
        }
    }

    private int groupLength(int index) {
        int tokens = 0;
        for (int i = index * group; i < (index + 1) * group; i++) {
            tokens += examples.get(i).length();
        }
        return tokens;
    }

    /// Returns how many rows a full batch has.
    private int step() {
        return packedLength > 0 ? size : Math.multiplyExact(size, group);
    }

    /// Puts the examples in another order in each epoch.
    public Batches shuffled(long seed) {
        this.shuffled = true;
        this.seed = seed;
        return this;
    }

    /// Keeps the examples in their order. The default.
    public Batches ordered() {
        this.shuffled = false;
        return this;
    }

    /// Sets how often the examples are gone through; once by default.
    public Batches epochs(int epochs) {
        this.epochs = positive("epochs", epochs);
        return this;
    }

    /// Goes through the examples again and again.
    public Batches endless() {
        this.epochs = Integer.MAX_VALUE;
        return this;
    }

    /// Sets the id at padding; 0 by default. It takes part in nothing.
    public Batches padId(int id) {
        this.padId = id;
        return this;
    }

    private static int positive(String what, int value) {
        if (value < 1) {
            throw new PanagradException(what, "not positive", "" + value, "1 or more", "");
        }
        return value;
    }

    /// Returns how many batches one epoch has; packing a shuffled epoch may take one more or less.
    public int inEpoch(int epoch) {
        int rows = packedLength > 0 ? plan(epoch).size() : examples.size();
        return Math.ceilDiv(rows, step());
    }

    /// Returns how many batches there are in all epochs; [Long#MAX_VALUE] for endless ones.
    public long count() {
        if (epochs == Integer.MAX_VALUE) {
            return Long.MAX_VALUE;
        }
        if (packedLength == 0 || !shuffled) {
            return (long) inEpoch(0) * epochs;
        }
        long count = 0;
        for (int epoch = 0; epoch < epochs; epoch++) {
            count += inEpoch(epoch);
        }
        return count;
    }

    /// Starts at the first batch.
    @Override
    public Iterator<Batch> iterator() {
        return cursor();
    }

    /// Starts at the first batch.
    public Cursor cursor() {
        return cursor(Position.START);
    }

    /// Goes on where another cursor stood.
    ///
    /// @throws PanagradException if there is no such batch
    public Cursor cursor(Position position) {
        return new Cursor(position);
    }

    /// Where a cursor stands: all that has to be saved to go on later.
    ///
    /// @param epoch epochs that are complete
    /// @param batch batches of the current epoch that were given out
    public record Position(int epoch, int batch) {
        /// Before the first batch.
        public static final Position START = new Position(0, 0);
    }

    /// Gives the batches out one by one.
    public final class Cursor implements Iterator<Batch> {
        private int epoch;
        private int batch;
        private List<int[]> rows;

        private Cursor(Position position) {
            epoch = position.epoch();
            batch = position.batch();
            rows = epoch < 0 || epoch >= epochs ? List.of() : plan(epoch);
            boolean atEnd = epoch == epochs && batch == 0;
            if (!atEnd && (rows.isEmpty() || batch < 0 || (long) batch * step() >= rows.size())) {
                throw new PanagradException(
                        "batches",
                        "no such position",
                        position.toString(),
                        "one that a cursor over the same data and options returned",
                        "");
            }
        }

        /// Returns where the next batch is; pass it to [Batches#cursor(Position)] to go on there.
        public Position position() {
            return new Position(epoch, batch);
        }

        @Override
        public boolean hasNext() {
            return epoch < epochs;
        }

        @Override
        public Batch next() {
            if (!hasNext()) {
                throw new NoSuchElementException("no batch after the last epoch");
            }
            int from = batch * step();
            int to = Math.min(from + step(), rows.size());
            Batch next = Batch.of(examples, rows.subList(from, to), length(from, to), padId);
            batch++;
            if (to == rows.size()) {
                epoch++;
                batch = 0;
                rows = epoch < epochs ? plan(epoch) : List.of();
            }
            return next;
        }

        private int length(int from, int to) {
            if (packedLength > 0) {
                return packedLength;
            }
            int longest = 0;
            for (int[] row : rows.subList(from, to)) {
                longest = Math.max(longest, examples.get(row[0]).length());
            }
            return longest;
        }
    }

    /// Decides which examples share a row in an epoch, and the order of the rows.
    private List<int[]> plan(int epoch) {
        int[] order = order(epoch);
        if (packedLength > 0) {
            return Packing.bestFit(order, this::groupLength, packedLength).stream()
                    .map(this::members)
                    .toList();
        }
        var rows = new ArrayList<int[]>(examples.size());
        for (int index : members(order)) {
            rows.add(new int[] {index});
        }
        return rows;
    }

    /// Returns the examples of some groups.
    private int[] members(int[] groups) {
        int[] members = new int[groups.length * group];
        for (int i = 0; i < members.length; i++) {
            members[i] = groups[i / group] * group + i % group;
        }
        return members;
    }

    /// Returns the order of the groups in an epoch.
    private int[] order(int epoch) {
        // The epoch numbers the generator's draw.
        int groups = examples.size() / group;
        return shuffled
                ? new Rng.Draw(seed, epoch).permutation(groups)
                : IntStream.range(0, groups).toArray();
    }
}
