package io.github.panagrad.examples.catalog;

import io.github.panagrad.examples.task.Goal;
import io.github.panagrad.losses.ContrastiveLosses.SupConOptions;
import io.github.panagrad.losses.ValueCoding;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.models.FeatureClassifier;
import io.github.panagrad.nn.objective.ContrastiveClassifier;
import io.github.panagrad.nn.objective.ContrastiveObjectives;
import io.github.panagrad.nn.objective.CoreTuning;
import io.github.panagrad.nn.objective.Ramp;
import io.github.panagrad.nn.objective.ValueRegression;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives.Labelled;
import java.util.List;
import java.util.function.Function;

/// Objectives of encoders: labels with a contrastive term, texts that belong together, numbers.
final class EncoderObjectives {
    private static final int PER_CLASS = 4;

    private EncoderObjectives() {}

    static List<Entry<List<Goal>>> all() {
        Setting temperature = Setting.of("temperature", 0.05, "τ, that cosines are divided by");
        Setting margin = Setting.of("margin", 0.2, "how much nearer");
        Setting perClass = Setting.of("per-class", PER_CLASS, "rows of a class in a batch");
        return List.of(
                ObjectiveCatalog.entry(
                                "supcon",
                                "labels, and draws the rows of each label together",
                                "ℓ + λ(t)·supCon",
                                "arXiv 2004.11362; rising λ: arXiv 2603.14075",
                                ContrastiveClassifier.class,
                                s -> labels(s, EncoderObjectives::contrastive))
                        .with(
                                Setting.of("temperature", 0.1, "τ, that cosines are divided by"),
                                Setting.of("lambda", 0.3, "λ, reached at half of the run"),
                                Setting.of("width", 128, "of the vectors that are compared"),
                                perClass),
                ObjectiveCatalog.entry(
                                "core",
                                "labels mixtures of rows, too, and draws hard ones together",
                                "ℓ_mixed + η·supCon",
                                "Core-tuning, arXiv 2102.06605",
                                CoreTuning.class,
                                s -> labels(s, EncoderObjectives::core))
                        .with(
                                Setting.of("eta", 0.1, "η"),
                                Setting.of("temperature", 0.07, "τ, that cosines are divided by"),
                                Setting.of("width", 256, "of the vectors that are compared"),
                                perClass),
                ObjectiveCatalog.entry(
                                "info-nce",
                                "draws pairs together, away from all others of the batch",
                                "−log softmax(cos/τ) of the partner",
                                "arXiv 1807.03748",
                                ContrastiveObjectives.class,
                                s ->
                                        List.of(
                                                new Goal.Alike(e ->
                                                        ContrastiveObjectives.infoNce(
                                                                e,
                                                                s.number("temperature"),
                                                                s.flag("symmetric")))))
                        .with(
                                temperature,
                                Setting.of("symmetric", "true", "whether partners search, too")),
                ObjectiveCatalog.entry(
                                "triplet",
                                "keeps texts nearer to their positive than to their negative",
                                "max(0, d⁺ − d⁻ + margin)",
                                "FaceNet, arXiv 1503.03832",
                                ContrastiveObjectives.class,
                                s ->
                                        List.of(
                                                new Goal.Apart(e ->
                                                        ContrastiveObjectives.triplet(
                                                                e, s.number("margin")))))
                        .with(margin),
                ObjectiveCatalog.entry(
                                "batch-hard",
                                "the same with the hardest rows of a batch, by label",
                                "max(0, max d⁺ − min d⁻ + margin)",
                                "arXiv 1703.07737",
                                ContrastiveObjectives.class,
                                s ->
                                        List.of(
                                                new Goal.Classes(
                                                        s.integer("per-class"),
                                                        e ->
                                                                ContrastiveObjectives
                                                                        .batchHardTriplet(
                                                                                e,
                                                                                s.number(
                                                                                        "margin")))))
                        .with(margin, perClass),
                ObjectiveCatalog.entry(
                                "supcon-embed",
                                "draws the vectors of each label together, without a head",
                                "supCon",
                                "arXiv 2004.11362",
                                ContrastiveObjectives.class,
                                s ->
                                        List.of(
                                                new Goal.Classes(
                                                        s.integer("per-class"),
                                                        e ->
                                                                ContrastiveObjectives.supervised(
                                                                        e,
                                                                        SupConOptions.DEFAULT
                                                                                .temperature(
                                                                                        s.number(
                                                                                                "temperature"))))))
                        .with(Setting.of("temperature", 0.1, "τ"), perClass),
                value(
                        "mse",
                        "predicts numbers by squared error",
                        "(v − y)²",
                        "plain regression",
                        s -> ValueCoding.squaredError()),
                value(
                                "two-hot",
                                "predicts numbers by the two bins beside them",
                                "cross-entropy over bins",
                                "Stop Regressing, arXiv 2403.03950",
                                s ->
                                        ValueCoding.twoHot(
                                                s.number("min"),
                                                s.number("max"),
                                                s.integer("bins")))
                        .with(range()),
                value(
                                "hl-gauss",
                                "predicts numbers by bins around them",
                                "cross-entropy against N(y, σ²) over bins",
                                "Stop Regressing, arXiv 2403.03950",
                                s ->
                                        ValueCoding.hlGauss(
                                                s.number("min"),
                                                s.number("max"),
                                                s.integer("bins"),
                                                s.number("sigma")))
                        .with(range())
                        .with(Setting.of("sigma", 0.75, "σ in widths of a bin")));
    }

    private static Setting[] range() {
        return new Setting[] {
            Setting.of("min", 0, "the smallest number"),
            Setting.of("max", 1, "the largest"),
            Setting.of("bins", 51, "how many bins")
        };
    }

    private static Entry<List<Goal>> value(
            String name,
            String summary,
            String formula,
            String source,
            Function<Settings, ValueCoding> coding) {
        return ObjectiveCatalog.entry(
                name,
                summary,
                formula,
                source,
                ValueRegression.class,
                s -> List.of(new Goal.Values(coding.apply(s))));
    }

    /// Makes an objective of a classifier.
    private interface Maker {
        Objective<Labelled> of(FeatureClassifier model, Settings settings, long seed);
    }

    private static List<Goal> labels(Settings s, Maker maker) {
        return List.of(
                new Goal.Labels(s.integer("per-class"), (m, counts, seed) -> maker.of(m, s, seed)));
    }

    private static Objective<Labelled> contrastive(FeatureClassifier model, Settings s, long seed) {
        var both = (Module & FeatureClassifier) model;
        return ContrastiveClassifier.attach(
                both,
                s.integer("width"),
                SupConOptions.DEFAULT.temperature(s.number("temperature")),
                Ramp.linear(0, s.number("lambda"), 0.5),
                seed);
    }

    private static Objective<Labelled> core(FeatureClassifier model, Settings s, long seed) {
        var both = (Module & FeatureClassifier) model;
        var options = CoreTuning.Options.DEFAULT;
        return CoreTuning.attach(
                both,
                options.eta(s.number("eta"))
                        .contrast(options.contrast().temperature(s.number("temperature"))),
                s.integer("width"),
                seed);
    }
}
