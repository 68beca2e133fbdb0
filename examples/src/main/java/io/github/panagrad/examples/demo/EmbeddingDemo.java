package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.losses.ContrastiveLosses.SupConOptions;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.data.BalancedSampler;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.models.BertModel;
import io.github.panagrad.nn.models.SentenceEmbedder;
import io.github.panagrad.nn.objective.ContrastiveObjectives;
import io.github.panagrad.nn.objective.ContrastiveObjectives.Pairs;
import io.github.panagrad.nn.objective.ContrastiveObjectives.Triplets;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.optim.Schedule;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/// Draws vectors of texts with one label together in four ways, and looks the labels of other texts up
/// among the nearest ones.
final class EmbeddingDemo implements Demonstration {
    private static final String UNTOUCHED = "untouched";
    private static final String INFO_NCE = "InfoNCE, pairs";
    private static final String TRIPLET = "triplets";
    private static final String BATCH_HARD = "hardest of the batch";
    private static final String SUP_CON = "supervised contrast";
    private static final String ACCURACY = "accuracy of the nearest";
    private static final int SHOTS = 8;
    private static final int TESTED = 200;
    private static final int ROWS = 24;
    private static final int PER_LABEL = 3;

    @Override
    public String name() {
        return "embedding";
    }

    @Override
    public List<String> shows() {
        return List.of("info-nce", "triplet", "batch-hard", "supcon-embed");
    }

    @Override
    public String setting() {
        return "all-MiniLM, its embeddings frozen, on 8 requests of each of the 77 labels of Banking77,"
                + " 30 steps of 24 rows: 12 pairs of one label each, 8 triplets, or 3 rows of 8 labels."
                + " A test request gets the label of the nearest of the 616; 200 are asked.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.higher(INFO_NCE, ACCURACY, "pairs bring labels nearer"),
                Claim.higher(TRIPLET, ACCURACY, "so do triplets"),
                Claim.higher(BATCH_HARD, ACCURACY, "so do the hardest of a batch"),
                Claim.higher(SUP_CON, ACCURACY, "so does supervised contrast"),
                Claim.higher(BATCH_HARD, ACCURACY, "hard ones do more than drawn ones")
                        .against(TRIPLET));
    }

    @Override
    public int usualSeeds() {
        return 3;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        LabelledTexts train =
                LabelledTexts.banking(trial.path("datasets/banking77/train.csv"))
                        .perLabel(trial.rows(SHOTS), trial.seed());
        LabelledTexts test =
                LabelledTexts.banking(trial.path("datasets/banking77/test.csv"))
                        .sample(trial.rows(TESTED), 0);
        for (String arm : List.of(UNTOUCHED, INFO_NCE, TRIPLET, BATCH_HARD, SUP_CON)) {
            SentenceEmbedder embedder = load(trial.path("models/all-minilm-l6-v2"));
            EncodedTexts data = EncodedTexts.of(train, embedder.tokenizer(), train.labels(), 32);
            var rows = new Rows(data, trial.seed());
            switch (arm) {
                case INFO_NCE ->
                        fit(
                                embedder,
                                ContrastiveObjectives.infoNce(embedder::embed, 0.05, true),
                                rows.of(2, ROWS / 2, rows::pairs),
                                trial);
                case TRIPLET ->
                        fit(
                                embedder,
                                ContrastiveObjectives.triplet(embedder::embed, 0.2),
                                rows.of(2, ROWS / 3, rows::triplets),
                                trial);
                case BATCH_HARD ->
                        fit(
                                embedder,
                                ContrastiveObjectives.batchHardTriplet(embedder::embed, 0.2),
                                rows.of(PER_LABEL, ROWS / PER_LABEL, data::batch),
                                trial);
                case SUP_CON ->
                        fit(
                                embedder,
                                ContrastiveObjectives.supervised(
                                        embedder::embed, SupConOptions.DEFAULT),
                                rows.of(PER_LABEL, ROWS / PER_LABEL, data::batch),
                                trial);
                default -> {}
            }
            figures.add(arm, ACCURACY, accuracy(embedder, train, test));
        }
    }

    private static SentenceEmbedder load(Path folder) {
        SentenceEmbedder embedder = SentenceEmbedder.load(folder);
        BertModel encoder = embedder.encoder();
        encoder.to(DType.F32);
        encoder.unfreeze();
        encoder.freeze(PathPattern.of("embeddings"));
        // Vectors are means of hidden states, which it has no part in.
        encoder.freeze(PathPattern.of("pooler"));
        return embedder;
    }

    private static <B> void fit(
            SentenceEmbedder embedder, Objective<B> objective, BatchSource<B> data, Trial trial) {
        Trainer.of(embedder.encoder(), AdamW.of(embedder.encoder().trainable()).lr(5e-5), objective)
                .steps(trial.steps(30))
                .seed(trial.seed())
                .maxGradNorm(1)
                .schedule(Schedule.linear().warmupShare(0.1))
                .run(data);
    }

    private static double accuracy(
            SentenceEmbedder embedder, LabelledTexts train, LabelledTexts test) {
        embedder.encoder().training(false);
        Tensor known = vectors(embedder, train.texts());
        int[] nearest =
                Ops.noGrad(() ->
                        vectors(embedder, test.texts())
                                .matmul(known.transpose())
                                .argmax(1, false)
                                .toInts());
        int right = 0;
        for (int i = 0; i < nearest.length; i++) {
            right += train.names().get(nearest[i]).equals(test.names().get(i)) ? 1 : 0;
        }
        return right / (double) nearest.length;
    }

    private static Tensor vectors(SentenceEmbedder embedder, List<String> texts) {
        var parts = new ArrayList<Tensor>();
        for (int from = 0; from < texts.size(); from += 64) {
            parts.add(embedder.embed(texts.subList(from, Math.min(texts.size(), from + 64))));
        }
        return Ops.concat(0, parts.toArray(Tensor[]::new));
    }

    /// Draws rows by their labels.
    private record Rows(EncodedTexts data, long seed) {
        /// Returns batches of some rows of each of some labels, those of one label together.
        <B> BatchSource<B> of(int perLabel, int labels, Function<int[], B> batch) {
            var sampler = BalancedSampler.of(data.labels(), perLabel, perLabel * labels, seed);
            return epoch -> sampler.epoch(epoch).stream().map(batch).toList();
        }

        Pairs pairs(int[] rows) {
            return new Pairs(every(rows, 0), every(rows, 1));
        }

        /// The negative of a pair is the first row of the next label.
        Triplets triplets(int[] rows) {
            return new Triplets(every(rows, 0), every(rows, 1), every(rows, 2));
        }

        /// Returns every second row.
        private BertInput every(int[] rows, int from) {
            int[] some =
                    IntStream.range(0, rows.length / 2)
                            .map(i -> rows[(2 * i + from) % rows.length])
                            .toArray();
            return data.batch(some).input();
        }
    }
}
