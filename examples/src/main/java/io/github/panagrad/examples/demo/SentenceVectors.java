package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.CrossEntropyOptions;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.layers.Mlp;
import io.github.panagrad.nn.models.SentenceEmbedder;
import io.github.panagrad.nn.objective.PointLoss;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.optim.Schedule;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Texts as the vectors of a frozen encoder, and small networks that label them: cheap enough to train
/// many, long enough to learn wrong labels by heart.
///
/// @param vectors F32 (N, C), of length 1
/// @param labels the number of each text's label; not to be modified
@SuppressWarnings("ArrayRecordComponent")
record SentenceVectors(Tensor vectors, int[] labels) {
    private static final int ROWS = 64;
    private static final int HIDDEN = 256;

    private record Part(Tensor vectors, Tensor labels) {}

    /// Encodes texts.
    ///
    /// @param names the labels in the order of their numbers
    static SentenceVectors of(Trial trial, LabelledTexts texts, List<String> names) {
        var embedder = SentenceEmbedder.load(trial.path("models/all-minilm-l6-v2"));
        embedder.encoder().to(DType.F32);
        // Texts of like length share a batch, which then has little padding.
        int[] order =
                IntStream.range(0, texts.size())
                        .boxed()
                        .sorted(Comparator.comparingInt(i -> texts.texts().get(i).length()))
                        .mapToInt(Integer::intValue)
                        .toArray();
        var parts = new ArrayList<Tensor>();
        for (int from = 0; from < order.length; from += ROWS) {
            List<String> part =
                    Arrays.stream(order, from, Math.min(order.length, from + ROWS))
                            .mapToObj(texts.texts()::get)
                            .toList();
            parts.add(
                    Ops.scope(() ->
                            Ops.noGrad(() -> SentenceEmbedder.normalised(embedder.embed(part)))));
        }
        int[] places = new int[order.length];
        for (int i = 0; i < order.length; i++) {
            places[order[i]] = i;
        }
        Tensor vectors = Ops.concat(0, parts.toArray(Tensor[]::new));
        return new SentenceVectors(
                vectors.indexSelect(0, Ops.indices(places, places.length)), texts.numbers(names));
    }

    /// Returns the same vectors with other labels.
    SentenceVectors withLabels(int[] others) {
        return new SentenceVectors(vectors, others);
    }

    /// Trains a network of one hidden layer.
    ///
    /// @param classes how many labels there are
    /// @param weights of the labels, or null for equal ones
    Mlp fit(int classes, PointLoss loss, @Nullable Tensor weights, int epochs, Trial trial) {
        var network = new Mlp(Rng.of(trial.seed()), vectors.dim(1), HIDDEN, classes);
        CrossEntropyOptions each = CrossEntropyOptions.DEFAULT.reduction(Reduction.NONE);
        Objective<Part> objective =
                (part, step) -> {
                    Tensor nll = Losses.crossEntropy(network.call(part.vectors), part.labels, each);
                    Tensor losses = loss.of(nll);
                    Tensor weighted =
                            weights == null
                                    ? losses
                                    : losses.mul(weights.indexSelect(0, part.labels));
                    return LossTerm.of(weighted.sum(), part.labels.dim(0));
                };
        int rows = Math.min(ROWS, labels.length);
        int steps = trial.steps(epochs * Math.ceilDiv(labels.length, rows));
        Trainer.of(network, AdamW.of(network.trainable()).lr(2e-3), objective)
                .steps(steps)
                .seed(trial.seed())
                .schedule(Schedule.linear())
                .run(epoch -> parts(new Rng.Draw(trial.seed(), epoch).permutation(labels.length)));
        return network;
    }

    private List<Part> parts(int[] order) {
        var parts = new ArrayList<Part>();
        for (int from = 0; from < order.length; from += ROWS) {
            int[] which = Arrays.copyOfRange(order, from, Math.min(order.length, from + ROWS));
            int[] own = Arrays.stream(which).map(i -> labels[i]).toArray();
            parts.add(
                    new Part(
                            vectors.indexSelect(0, Ops.indices(which, which.length)),
                            Ops.indices(own, own.length)));
        }
        return parts;
    }

    /// Asks a network for the probabilities of the labels, a row a text.
    double[][] ask(Mlp network) {
        double[] flat =
                Ops.noGrad(
                        () -> Ops.scope(() -> Ops.softmax(network.call(vectors), -1).toDoubles()));
        int classes = flat.length / labels.length;
        double[][] rows = new double[labels.length][];
        Arrays.setAll(rows, i -> Arrays.copyOfRange(flat, i * classes, (i + 1) * classes));
        return rows;
    }

    /// Returns the likeliest label of each row.
    static int[] best(double[][] probabilities) {
        int[] best = new int[probabilities.length];
        for (int i = 0; i < best.length; i++) {
            for (int c = 1; c < probabilities[i].length; c++) {
                best[i] = probabilities[i][c] > probabilities[i][best[i]] ? c : best[i];
            }
        }
        return best;
    }
}
