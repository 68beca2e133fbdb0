package io.github.panagrad.nn.train;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import java.util.Arrays;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Batches for training, epoch by epoch.
///
/// The same epoch must give the same batches each time it is asked for: a resumed run asks again
/// and passes over those it has used.
///
/// @param <B> the class of a batch
@FunctionalInterface
public interface BatchSource<B> {
    /// Returns the batches of one pass over the data.
    ///
    /// @param epoch the number of the pass, from 0, by which a source may shuffle
    Iterable<B> epoch(int epoch);

    /// Returns how many batches a pass has, 0 if that is not known.
    default long batchesPerEpoch() {
        return 0;
    }

    /// Serves batches again and again, in another order each time if they are shuffled.
    static BatchSource<Batch> of(Batches batches) {
        batches.endless();
        return new BatchSource<>() {
            @Override
            public Iterable<Batch> epoch(int epoch) {
                int count = batches.inEpoch(epoch);
                Batches.Cursor cursor = batches.cursor(new Batches.Position(epoch, 0));
                return () -> Stream.generate(cursor::next).limit(count).iterator();
            }

            @Override
            public long batchesPerEpoch() {
                return batches.inEpoch(0);
            }
        };
    }

    /// Serves rows in an order that is drawn anew for each epoch; the last batch may be smaller.
    ///
    /// @param rows how many rows there are
    /// @param size rows a batch
    /// @param seed decides the order; null for that of the data
    /// @param maker makes a batch of the rows with these numbers
    static <B> BatchSource<B> ofRows(
            int rows, int size, @Nullable Long seed, Function<int[], B> maker) {
        if (rows < 1 || size < 1) {
            throw new PanagradException(
                    "batches",
                    "out of range",
                    rows + " rows, " + size + " a batch",
                    "at least one",
                    "");
        }
        return new BatchSource<>() {
            @Override
            public Iterable<B> epoch(int epoch) {
                int[] order =
                        seed == null
                                ? IntStream.range(0, rows).toArray()
                                : new Rng.Draw(seed, epoch).permutation(rows);
                return () ->
                        IntStream.range(0, Math.ceilDiv(rows, size))
                                .mapToObj(b ->
                                        Arrays.copyOfRange(
                                                order, b * size, Math.min(rows, (b + 1) * size)))
                                .map(maker)
                                .iterator();
            }

            @Override
            public long batchesPerEpoch() {
                return Math.ceilDiv(rows, size);
            }
        };
    }
}
