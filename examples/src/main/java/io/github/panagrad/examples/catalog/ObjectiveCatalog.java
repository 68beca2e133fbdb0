package io.github.panagrad.examples.catalog;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.engine.HeadFilter;
import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.examples.task.Goal;
import io.github.panagrad.examples.task.Goal.Data;
import io.github.panagrad.losses.ClassWeights;
import io.github.panagrad.losses.CrossEntropyOptions;
import io.github.panagrad.losses.NllLosses;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.CutCrossEntropy;
import io.github.panagrad.nn.objective.DirectCoverage;
import io.github.panagrad.nn.objective.Dpo;
import io.github.panagrad.nn.objective.Ipo;
import io.github.panagrad.nn.objective.Kto;
import io.github.panagrad.nn.objective.Orpo;
import io.github.panagrad.nn.objective.PerplexityWeighted;
import io.github.panagrad.nn.objective.PointLoss;
import io.github.panagrad.nn.objective.Pointwise;
import io.github.panagrad.nn.objective.Reference;
import io.github.panagrad.nn.objective.ScoreCache;
import io.github.panagrad.nn.objective.SimPo;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The objectives that `finetune --objective` knows.
public final class ObjectiveCatalog {
    /// All of them.
    public static final Catalog<List<Goal>> CATALOG = new Catalog<>("--objective", all());

    private ObjectiveCatalog() {}

    private static List<Entry<List<Goal>>> all() {
        var all = new ArrayList<Entry<List<Goal>>>(tokens());
        all.addAll(sequences());
        all.addAll(preferences());
        all.addAll(TaughtObjectives.all());
        all.addAll(EncoderObjectives.all());
        return all;
    }

    private static List<Entry<List<Goal>>> tokens() {
        return List.of(
                entry(
                        "ce",
                        "cross-entropy of the next token",
                        "ℓ = −log p",
                        "plain fine-tuning",
                        Objectives.class,
                        s -> both(HeadOptions.DEFAULT, CrossEntropyOptions.DEFAULT)),
                entry(
                                "cce",
                                "cross-entropy whose gradient leaves out what is small",
                                "ℓ; ∂ℓ/∂z where |∂ℓ/∂z| ≥ ε",
                                "Cut Cross-Entropy, arXiv 2411.09009",
                                CutCrossEntropy.class,
                                s -> text(m -> CutCrossEntropy.of(m, cut(s))))
                        .with(
                                Setting.of(
                                        "filter", "auto", "ε, auto by the weights' type, or off"),
                                Setting.of("sort", "true", "whether likely entries share blocks"),
                                Setting.of("block", "128x64", "tokens x entries that go together"),
                                Setting.of("of", "both", "gradients filtered: or hidden, weight"),
                                Setting.of(
                                        "sums", "plain", "or compensated, for what rounding loses"),
                                Setting.of("z", 0, "λ of λ·lse²")),
                entry(
                                "smoothed",
                                "cross-entropy with smoothed labels",
                                "(1−ε)·ℓ + ε·mean over the vocabulary",
                                "arXiv 1512.00567",
                                HeadOptions.class,
                                s -> smoothed(s.number("epsilon")))
                        .with(Setting.of("epsilon", 0.1, "share of the uniform distribution")),
                point(
                                "focal",
                                "counts likely tokens for less",
                                "(1−p)^γ·ℓ",
                                "arXiv 1708.02002",
                                s -> PointLoss.focal(s.number("gamma")))
                        .with(Setting.of("gamma", 2, "how much less")),
                point(
                                "poly1",
                                "adds a multiple of 1 − p",
                                "ℓ + ε·(1−p)",
                                "PolyLoss, arXiv 2204.12511",
                                s -> PointLoss.poly1(s.number("epsilon")))
                        .with(Setting.of("epsilon", 1, "the multiple")),
                point(
                                "gce",
                                "generalised cross-entropy, robust to wrong labels",
                                "(1−p^q)/q",
                                "arXiv 1805.07836",
                                s -> PointLoss.truncated(s.number("q"), s.number("k")))
                        .with(
                                Setting.of("q", 0.7, "0 is cross-entropy, 1 is 1 − p"),
                                Setting.of("k", 0, "likelihoods below have no gradient")),
                point(
                                "sce",
                                "symmetric cross-entropy, robust to wrong labels",
                                "a·ℓ − b·A·(1−p)",
                                "arXiv 1908.06112",
                                s ->
                                        PointLoss.symmetric(
                                                s.number("a"), s.number("b"), s.number("log-zero")))
                        .with(
                                Setting.of("a", 0.1, "weight of cross-entropy"),
                                Setting.of("b", 1, "weight of its reverse"),
                                Setting.of("log-zero", -4, "stands for log 0")),
                entry(
                                "pwce",
                                "counts surprising tokens for more",
                                "(1+λ·w)·ℓ, w growing with exp ℓ",
                                "LAMO, arXiv 2604.13488",
                                PerplexityWeighted.class,
                                s -> text(m -> weighted(m, s)))
                        .with(
                                Setting.of("lambda", 1, "how much weights count"),
                                Setting.of("alpha", 1, "how much they grow"),
                                Setting.of("scope", "sequence", "what a token is compared with")));
    }

    private static List<Entry<List<Goal>>> sequences() {
        return List.of(
                entry(
                                "dco",
                                "trains for the best of N samples",
                                "−log(1 − (1−p)^N) of a sequence",
                                "arXiv 2502.07154",
                                DirectCoverage.class,
                                s -> text(m -> DirectCoverage.of(m, s.number("n"))))
                        .with(Setting.of("n", 16, "samples that will be drawn")));
    }

    private static List<Entry<List<Goal>>> preferences() {
        Setting beta = Setting.of("beta", 0.1, "how far from the reference");
        return List.of(
                entry(
                                "dpo",
                                "chosen answers above rejected ones, against the model at first",
                                "−log σ(β·(Δc − Δr))",
                                "DPO, arXiv 2305.18290",
                                Dpo.class,
                                s ->
                                        pairs((m, a) ->
                                                Dpo.of(m, reference(m, a))
                                                        .beta(s.number("beta"))
                                                        .smoothing(s.number("smoothing"))))
                        .with(beta, Setting.of("smoothing", 0, "share of swapped pairs")),
                entry(
                                "ipo",
                                "a margin of given size, against the model at first",
                                "(Δc − Δr − 1/(2τ))²",
                                "IPO, arXiv 2310.12036",
                                Ipo.class,
                                s ->
                                        pairs((m, a) ->
                                                Ipo.of(m, reference(m, a)).tau(s.number("tau"))))
                        .with(Setting.of("tau", 0.1, "the smaller, the larger the margin")),
                entry(
                                "simpo",
                                "chosen answers above rejected ones, by their mean likelihood",
                                "−log σ(β·(c̄ − r̄) − γ)",
                                "SimPO, arXiv 2405.14734",
                                SimPo.class,
                                s ->
                                        pairs((m, a) ->
                                                SimPo.of(m)
                                                        .beta(s.number("beta"))
                                                        .gamma(s.number("gamma"))))
                        .with(
                                Setting.of("beta", 2, "scale of the likelihoods"),
                                Setting.of("gamma", 1, "margin")),
                entry(
                                "orpo",
                                "learns chosen answers, and their odds above rejected ones",
                                "−c̄ − λ·log σ(log odds c − log odds r)",
                                "ORPO, arXiv 2403.07691",
                                Orpo.class,
                                s -> pairs((m, a) -> Orpo.of(m).lambda(s.number("lambda"))))
                        .with(Setting.of("lambda", 0.1, "weight of the odds")),
                entry(
                                "kto",
                                "good answers up, bad ones down, against the model at first",
                                "λ·(1 − σ(±β·(Δ − z)))",
                                "KTO, arXiv 2402.01306",
                                Kto.class,
                                s ->
                                        List.of(
                                                new Goal.Language(
                                                        Data.MARKED,
                                                        on ->
                                                                Kto.of(on.model(), reference(on))
                                                                        .beta(s.number("beta"))
                                                                        .weights(
                                                                                s.number(
                                                                                        "desirable"),
                                                                                s.number(
                                                                                        "undesirable")))))
                        .with(
                                beta,
                                Setting.of("desirable", 1, "weight of good answers"),
                                Setting.of("undesirable", 1, "weight of bad ones")));
    }

    private static List<Goal> pairs(
            BiFunction<CausalLM, @Nullable Adapter, Objective<Batch>> maker) {
        return List.of(new Goal.Language(Data.PAIRS, s -> maker.apply(s.model(), s.adapter())));
    }

    /// Describes an objective over text.
    static List<Goal> text(Function<CausalLM, Objective<Batch>> maker) {
        return List.of(new Goal.Language(Data.TEXT, s -> maker.apply(s.model())));
    }

    private static Reference reference(CausalLM model, @Nullable Adapter adapter) {
        return Reference.of(TaughtObjectives.before(model, adapter)).cached(new ScoreCache());
    }

    private static Reference reference(Goal.Subject on) {
        return reference(on.model(), on.adapter());
    }

    private static List<Goal> smoothed(double epsilon) {
        return both(
                HeadOptions.DEFAULT.labelSmoothing(epsilon),
                CrossEntropyOptions.DEFAULT.labelSmoothing(epsilon));
    }

    private static List<Goal> both(HeadOptions tokens, CrossEntropyOptions labels) {
        return List.of(
                new Goal.Language(Data.TEXT, s -> Objectives.nextToken(s.model(), tokens)),
                new Goal.Labels(0, (m, counts, seed) -> Objectives.classification(m, labels)));
    }

    private static HeadOptions cut(Settings s) {
        HeadFilter filter =
                switch (s.word("filter")) {
                    case "off" -> HeadFilter.NONE;
                    case "auto" -> HeadFilter.auto();
                    default -> HeadFilter.below(s.number("filter"));
                };
        Filtered of = s.choice("of", Filtered.class);
        filter = filter.of(of != Filtered.WEIGHT, of != Filtered.HIDDEN);
        int[] block = s.extents("block", 2);
        boolean compensated = s.choice("sums", Sums.class) == Sums.COMPENSATED;
        return HeadOptions.DEFAULT
                .filter(filter.blocks(block[0], block[1]).sorted(s.flag("sort")))
                .compensate(compensated, compensated)
                .zLoss(s.number("z"));
    }

    private enum Filtered {
        BOTH,
        HIDDEN,
        WEIGHT
    }

    private enum Sums {
        PLAIN,
        COMPENSATED
    }

    private static Objective<Batch> weighted(CausalLM model, Settings s) {
        return PerplexityWeighted.of(model)
                .lambda(s.number("lambda"))
                .alpha(s.number("alpha"))
                .scope(s.choice("scope", PerplexityWeighted.Scope.class));
    }

    private static Entry<List<Goal>> point(
            String name,
            String summary,
            String formula,
            String source,
            Function<Settings, PointLoss> loss) {
        return entry(
                        name,
                        summary,
                        formula,
                        source,
                        NllLosses.class,
                        s ->
                                List.of(
                                        new Goal.Language(
                                                Data.TEXT,
                                                on ->
                                                        Pointwise.nextToken(
                                                                on.model(), loss.apply(s))),
                                        new Goal.Labels(
                                                0,
                                                (m, counts, seed) ->
                                                        Pointwise.classification(
                                                                m,
                                                                loss.apply(s),
                                                                weights(s, counts)))))
                .with(
                        Setting.of(
                                "balanced",
                                "false",
                                "whether rare labels count for more; for classifiers"));
    }

    private static CrossEntropyOptions weights(Settings s, int[] counts) {
        return s.flag("balanced")
                ? CrossEntropyOptions.DEFAULT.classWeights(ClassWeights.balanced(counts))
                : CrossEntropyOptions.DEFAULT;
    }

    static Entry<List<Goal>> entry(
            String name,
            String summary,
            String formula,
            String source,
            Class<?> type,
            Function<Settings, List<Goal>> maker) {
        return Entry.of(name, summary, formula, source, type, maker);
    }
}
