package io.github.panagrad.examples.catalog;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.losses.NllLosses;
import io.github.panagrad.nn.objective.TokenObjectives;
import io.github.panagrad.nn.train.Objectives;
import java.util.List;
import java.util.function.Function;

/// The objectives that `finetune --objective` knows.
public final class ObjectiveCatalog {
    /// All of them.
    public static final Catalog<ObjectiveMaker> CATALOG = new Catalog<>("--objective", all());

    private ObjectiveCatalog() {}

    private static List<Entry<ObjectiveMaker>> all() {
        return List.of(
                entry(
                        "ce",
                        "cross-entropy of the next token",
                        "ℓ = −log p",
                        "plain fine-tuning",
                        Objectives.class,
                        s -> Objectives::nextToken),
                entry(
                                "smoothed",
                                "cross-entropy with smoothed labels",
                                "(1−ε)·ℓ + ε·mean over the vocabulary",
                                "arXiv 1512.00567",
                                HeadOptions.class,
                                s ->
                                        model ->
                                                Objectives.nextToken(
                                                        model,
                                                        HeadOptions.DEFAULT.labelSmoothing(
                                                                s.number("epsilon"))))
                        .with(Setting.of("epsilon", 0.1, "share of the uniform distribution")),
                entry(
                                "focal",
                                "counts likely tokens for less",
                                "(1−p)^γ·ℓ",
                                "arXiv 1708.02002",
                                NllLosses.class,
                                s -> m -> TokenObjectives.focal(m, s.number("gamma")))
                        .with(Setting.of("gamma", 2, "how much less")),
                entry(
                                "poly1",
                                "adds a multiple of 1 − p",
                                "ℓ + ε·(1−p)",
                                "PolyLoss, arXiv 2204.12511",
                                NllLosses.class,
                                s -> m -> TokenObjectives.poly1(m, s.number("epsilon")))
                        .with(Setting.of("epsilon", 1, "the multiple")),
                entry(
                                "gce",
                                "generalised cross-entropy, robust to wrong labels",
                                "(1−p^q)/q",
                                "arXiv 1805.07836",
                                NllLosses.class,
                                s ->
                                        m ->
                                                TokenObjectives.generalizedCrossEntropy(
                                                        m, s.number("q"), s.number("k")))
                        .with(
                                Setting.of("q", 0.7, "0 is cross-entropy, 1 is 1 − p"),
                                Setting.of("k", 0, "likelihoods below have no gradient")),
                entry(
                                "sce",
                                "symmetric cross-entropy, robust to wrong labels",
                                "a·ℓ − b·A·(1−p)",
                                "arXiv 1908.06112",
                                NllLosses.class,
                                s ->
                                        m ->
                                                TokenObjectives.symmetricCrossEntropy(
                                                        m,
                                                        s.number("a"),
                                                        s.number("b"),
                                                        s.number("log-zero")))
                        .with(
                                Setting.of("a", 0.1, "weight of cross-entropy"),
                                Setting.of("b", 1, "weight of its reverse"),
                                Setting.of("log-zero", -4, "stands for log 0")),
                entry(
                                "pwce",
                                "counts surprising tokens for more",
                                "(1+λ·w)·ℓ, w growing with exp ℓ",
                                "LAMO, arXiv 2604.13488",
                                NllLosses.class,
                                s ->
                                        m ->
                                                TokenObjectives.perplexityWeighted(
                                                        m,
                                                        s.number("lambda"),
                                                        s.number("alpha"),
                                                        s.choice(
                                                                "scope",
                                                                TokenObjectives.Scope.class)))
                        .with(
                                Setting.of("lambda", 1, "how much weights count"),
                                Setting.of("alpha", 1, "how much they grow"),
                                Setting.of("scope", "sequence", "sequence, row or batch")));
    }

    private static Entry<ObjectiveMaker> entry(
            String name,
            String summary,
            String formula,
            String source,
            Class<?> type,
            Function<Settings, ObjectiveMaker> maker) {
        return Entry.of(name, summary, formula, source, type, maker);
    }
}
