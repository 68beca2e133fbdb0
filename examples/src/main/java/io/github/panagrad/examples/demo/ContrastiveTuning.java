package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.ContrastiveLosses.SupConOptions;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.data.BalancedSampler;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.layers.Mlp;
import io.github.panagrad.nn.metrics.ClassificationReport;
import io.github.panagrad.nn.models.BertClassifier;
import io.github.panagrad.nn.models.BertModel;
import io.github.panagrad.nn.models.FeatureClassifier;
import io.github.panagrad.nn.models.Pooling;
import io.github.panagrad.nn.models.SentenceEmbedder;
import io.github.panagrad.nn.objective.ContrastiveClassifier;
import io.github.panagrad.nn.objective.CoreTuning;
import io.github.panagrad.nn.objective.LayerPooledClassifier;
import io.github.panagrad.nn.objective.Ramp;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.optim.ParamGroup;
import io.github.panagrad.nn.optim.Schedule;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives.Labelled;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Fine-tunes an encoder to classify texts, plainly and with contrastive terms: Core-tuning and
/// layer-attentive pooling beside cross-entropy, on the same batches.
///
/// @param encoder the folder of a pre-trained encoder
/// @param train what is learnt from
/// @param test what is asked afterwards, of the same labels
/// @param steps how long to train
/// @param batch rows a step, four of each class in it
/// @param lr the learning rate
public record ContrastiveTuning(
        Path encoder, LabelledTexts train, LabelledTexts test, int steps, int batch, double lr) {
    private static final int PER_CLASS = 4;
    private static final int PROJECTION = 128;
    private static final int TOKENS = 48;
    private static final int EVALUATED = 64;
    private static final double POOL_LR = 1e-2;
    private static final Schedule RISING = Ramp.linear(0, 0.3, 0.5);

    /// What is compared.
    public enum Arm {
        /// Cross-entropy alone.
        PLAIN,
        /// A supervised contrastive term, rising to 0.3.
        CONTRAST,
        /// Core-tuning with η = 0.1.
        CORE,
        /// Layer-attentive pooling, cross-entropy alone.
        LAYERS,
        /// Layer-attentive pooling and the contrastive term.
        LAYERS_CONTRAST
    }

    /// What came of an arm.
    ///
    /// @param accuracy the share of right answers
    /// @param macroF1 the mean over the labels of F1
    /// @param spread the mean cosine distance within classes, divided by that between them
    /// @param layerWeights the weights of the layers, empty without
    public record Result(
            double accuracy, double macroF1, double spread, List<Double> layerWeights) {}

    /// Trains and asks.
    public Result run(Arm arm, long seed) {
        BertModel bert = BertModel.load(encoder);
        Tokenizer tokenizer = Tokenizer.load(encoder);
        List<String> labels = train.labels();
        bert.to(DType.F32);
        bert.unfreeze();
        bert.freeze(PathPattern.of("embeddings"));
        return switch (arm) {
            case PLAIN, CONTRAST, CORE -> {
                var model = BertClassifier.ofRows(bert, labels, Pooling.MEAN, seed);
                yield fit(model, arm, tokenizer, seed);
            }
            case LAYERS, LAYERS_CONTRAST -> {
                var model =
                        new LayerPooledClassifier(
                                bert, labels, LayerPooledClassifier.Settings.DEFAULT, seed);
                Result result = fit(model, arm, tokenizer, seed);
                double[] weights = model.pool().weights();
                yield new Result(
                        result.accuracy(),
                        result.macroF1(),
                        result.spread(),
                        Arrays.stream(weights).boxed().toList());
            }
        };
    }

    private <M extends Module & FeatureClassifier> Result fit(
            M model, Arm arm, Tokenizer tokenizer, long seed) {
        Objective<Labelled> objective = objective(model, arm, seed);
        var data = EncodedTexts.of(train, tokenizer, train.labels(), TOKENS);
        var sampler = BalancedSampler.of(data.labels(), PER_CLASS, batch, seed);
        AdamW optimizer = AdamW.of(model.trainable()).lr(lr);
        if (arm == Arm.LAYERS || arm == Arm.LAYERS_CONTRAST) {
            // A few steps of an encoder's rate would leave the gate shut.
            optimizer.group(ParamGroup.of("pool.{gate,scores}").lr(POOL_LR));
        }
        Trainer.of(model, optimizer, objective)
                .steps(steps)
                .seed(seed)
                .maxGradNorm(1)
                .schedule(Schedule.linear().warmupShare(0.1))
                .run(epoch -> sampler.epoch(epoch).stream().map(data::batch).toList());
        return ask(model, tokenizer);
    }

    private static <M extends Module & FeatureClassifier> Objective<Labelled> objective(
            M model, Arm arm, long seed) {
        return switch (arm) {
            case CORE -> CoreTuning.attach(model, CoreTuning.Options.DEFAULT, PROJECTION, seed);
            case CONTRAST, LAYERS_CONTRAST ->
                    ContrastiveClassifier.attach(
                            model, PROJECTION, SupConOptions.DEFAULT, RISING, seed);
            case PLAIN, LAYERS ->
                    new ContrastiveClassifier(
                            model,
                            new Mlp(Rng.of(seed), model.width(), PROJECTION), // unused at weight 0
                            SupConOptions.DEFAULT,
                            Ramp.constant(0));
        };
    }

    private <M extends Module & FeatureClassifier> Result ask(M model, Tokenizer tokenizer) {
        // Training leaves arrays of many sizes behind, which answers do not need.
        Pool.floats().trim();
        var data = EncodedTexts.of(test, tokenizer, train.labels(), TOKENS);
        int[] labels = data.labels();
        int[] answers = new int[labels.length];
        double[][] features = new double[labels.length][];
        for (int from = 0; from < labels.length; from += EVALUATED) {
            int first = from;
            int count = Math.min(EVALUATED, labels.length - from);
            Labelled part = data.batch(IntStream.range(from, from + count).toArray());
            Ops.noGrad(() -> {
                Ops.scope(() -> {
                    Tensor f = model.features(part.input(), Context.EMPTY);
                    int[] best = model.scores(f, Context.EMPTY).argmax(1, false).toInts();
                    double[] z = SentenceEmbedder.normalised(f).toDoubles();
                    for (int i = 0; i < count; i++) {
                        answers[first + i] = best[i];
                        features[first + i] =
                                Arrays.copyOfRange(z, i * model.width(), (i + 1) * model.width());
                    }
                });
                return null;
            });
        }
        var report = ClassificationReport.of(labels, answers, train.labels().size());
        return new Result(
                report.accuracy(), report.macro(report::f1), spread(features, labels), List.of());
    }

    private static double spread(double[][] z, int[] labels) {
        double[] sums = new double[2];
        long[] counts = new long[2];
        for (int i = 0; i < z.length; i++) {
            for (int j = 0; j < i; j++) {
                double cosine = 0;
                for (int c = 0; c < z[i].length; c++) {
                    cosine += z[i][c] * z[j][c];
                }
                int kind = labels[i] == labels[j] ? 0 : 1;
                sums[kind] += 1 - cosine;
                counts[kind]++;
            }
        }
        return sums[0] / counts[0] / (sums[1] / counts[1]);
    }
}
