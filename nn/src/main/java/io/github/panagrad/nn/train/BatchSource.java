package io.github.panagrad.nn.train;

import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import java.util.stream.Stream;

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
}
