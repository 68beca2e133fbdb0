package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.ContrastiveLosses;
import io.github.panagrad.losses.ContrastiveLosses.SupConOptions;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives.Labelled;

/// Objectives that make an embedder draw like to like.
///
/// All but [#triplet] compare the rows of a batch with each other: larger batches are harder, and
/// accumulated small ones are not the same. A loss counts once a row, pair or triplet.
///
/// ```java
/// SentenceEmbedder embedder = SentenceEmbedder.load(folder);
/// Objective<Pairs> objective = ContrastiveObjectives.infoNce(embedder::embed, 0.05, true);
/// ```
public final class ContrastiveObjectives {
    private ContrastiveObjectives() {}

    /// Pairs of rows that belong together.
    ///
    /// @param queries the first of each pair
    /// @param keys the second of each pair, in the same order
    public record Pairs(BertInput queries, BertInput keys) {}

    /// Rows with one that is like them and one that is not.
    ///
    /// @param anchors rows
    /// @param positives what each of them is to be near to
    /// @param negatives what it is to be farther from
    public record Triplets(BertInput anchors, BertInput positives, BertInput negatives) {}

    /// Draws rows of one class together, away from all others: [ContrastiveLosses#supCon].
    ///
    /// Draw batches by [io.github.panagrad.nn.data.BalancedSampler], so that rows have others of their
    /// class. Source: Khosla et al. 2020, arXiv 2004.11362, eq. 2.
    public static Objective<Labelled> supervised(Embedder embedder, SupConOptions options) {
        return new InBatch<>((batch, step) -> {
            int[] labels = RowLabels.of("supervised contrastive", batch);
            Tensor features = embedder.embed(batch.input(), step.context());
            return mean(ContrastiveLosses.supCon(features, labels, options), labels.length);
        });
    }

    /// Lets each query find its own key among those of the batch: [ContrastiveLosses#infoNce].
    ///
    /// Source: van den Oord et al. 2018, arXiv 1807.03748, eq. 4.
    ///
    /// @param temperature what cosines are divided by, above 0; 0.05 to 0.1 are common
    /// @param symmetric whether keys have to find their queries, too
    public static Objective<Pairs> infoNce(
            Embedder embedder, double temperature, boolean symmetric) {
        return new InBatch<>((batch, step) -> {
            Context context = step.context();
            Tensor queries = embedder.embed(batch.queries(), context);
            Tensor keys = embedder.embed(batch.keys(), context);
            return mean(
                    ContrastiveLosses.infoNce(queries, keys, temperature, symmetric),
                    queries.dim(0));
        });
    }

    /// Keeps each row nearer to its positive than to its negative, by a margin:
    /// [ContrastiveLosses#triplet]. Triplets do not see each other.
    ///
    /// Source: Schroff, Kalenichenko and Philbin 2015, FaceNet, arXiv 1503.03832, eq. 2.
    ///
    /// @param margin above 0; 0.2 for vectors of length 1
    public static Objective<Triplets> triplet(Embedder embedder, double margin) {
        return (batch, step) -> {
            Context context = step.context();
            Tensor losses =
                    ContrastiveLosses.triplet(
                            embedder.embed(batch.anchors(), context),
                            embedder.embed(batch.positives(), context),
                            embedder.embed(batch.negatives(), context),
                            margin);
            return LossTerm.of(losses.sum(), losses.dim(0));
        };
    }

    /// Keeps each row nearer to the farthest of its class than to the nearest of another, by a margin:
    /// [ContrastiveLosses#batchHardTriplet].
    ///
    /// Source: Hermans, Beyer and Leibe 2017, arXiv 1703.07737, eq. 5.
    ///
    /// @param margin above 0
    public static Objective<Labelled> batchHardTriplet(Embedder embedder, double margin) {
        return new InBatch<>((batch, step) -> {
            int[] labels = RowLabels.of("triplet", batch);
            Tensor features = embedder.embed(batch.input(), step.context());
            return mean(
                    ContrastiveLosses.batchHardTriplet(features, labels, margin), labels.length);
        });
    }

    private static LossTerm mean(Tensor loss, int rows) {
        return LossTerm.of(loss.mul(rows), rows);
    }
}
