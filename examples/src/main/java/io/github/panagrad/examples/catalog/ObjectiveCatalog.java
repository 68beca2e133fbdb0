package io.github.panagrad.examples.catalog;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.examples.catalog.ObjectiveMaker.Data;
import io.github.panagrad.losses.NllLosses;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
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
import io.github.panagrad.nn.objective.Teacher;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The objectives that `finetune --objective` knows.
public final class ObjectiveCatalog {
    /// All of them.
    public static final Catalog<ObjectiveMaker> CATALOG = new Catalog<>("--objective", all());

    private ObjectiveCatalog() {}

    private static List<Entry<ObjectiveMaker>> all() {
        var all = new ArrayList<Entry<ObjectiveMaker>>(tokens());
        all.addAll(sequences());
        all.addAll(preferences());
        return all;
    }

    private static List<Entry<ObjectiveMaker>> tokens() {
        return List.of(
                entry(
                        "ce",
                        "cross-entropy of the next token",
                        "ℓ = −log p",
                        "plain fine-tuning",
                        Objectives.class,
                        s -> ObjectiveMaker.text(Objectives::nextToken)),
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
                                s -> ObjectiveMaker.text(m -> weighted(m, s)))
                        .with(
                                Setting.of("lambda", 1, "how much weights count"),
                                Setting.of("alpha", 1, "how much they grow"),
                                Setting.of("scope", "sequence", "what a token is compared with")));
    }

    private static List<Entry<ObjectiveMaker>> sequences() {
        return List.of(
                entry(
                                "dco",
                                "trains for the best of N samples",
                                "−log(1 − (1−p)^N) of a sequence",
                                "arXiv 2502.07154",
                                DirectCoverage.class,
                                s -> ObjectiveMaker.text(m -> DirectCoverage.of(m, s.number("n"))))
                        .with(Setting.of("n", 16, "samples that will be drawn")));
    }

    private static List<Entry<ObjectiveMaker>> preferences() {
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
                                        new ObjectiveMaker(
                                                Data.MARKED,
                                                (m, a) ->
                                                        Kto.of(m, reference(m, a))
                                                                .beta(s.number("beta"))
                                                                .weights(
                                                                        s.number("desirable"),
                                                                        s.number("undesirable"))))
                        .with(
                                beta,
                                Setting.of("desirable", 1, "weight of good answers"),
                                Setting.of("undesirable", 1, "weight of bad ones")));
    }

    private static ObjectiveMaker pairs(ObjectiveMaker.Maker maker) {
        return new ObjectiveMaker(Data.PAIRS, maker);
    }

    /// Remembers the model as it is now: by switching the adapter off, or by a copy.
    private static Reference reference(CausalLM model, @Nullable Adapter adapter) {
        Teacher<CausalLM> teacher =
                adapter == null
                        ? Teacher.frozenCopy(model)
                        : Teacher.adapterOff(model, adapter::enabled);
        return Reference.of(teacher).cached(new ScoreCache());
    }

    private static ObjectiveMaker smoothed(double epsilon) {
        HeadOptions options = HeadOptions.DEFAULT.labelSmoothing(epsilon);
        return ObjectiveMaker.text(model -> Objectives.nextToken(model, options));
    }

    private static Objective<Batch> weighted(CausalLM model, Settings s) {
        return PerplexityWeighted.of(model)
                .lambda(s.number("lambda"))
                .alpha(s.number("alpha"))
                .scope(s.choice("scope", PerplexityWeighted.Scope.class));
    }

    private static Entry<ObjectiveMaker> point(
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
                s -> ObjectiveMaker.text(m -> Pointwise.nextToken(m, loss.apply(s))));
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
