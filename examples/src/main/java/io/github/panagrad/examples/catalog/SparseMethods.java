package io.github.panagrad.examples.catalog;

import io.github.panagrad.adapters.MaskTuning;
import io.github.panagrad.adapters.sparse.HalfFineTuning;
import io.github.panagrad.adapters.sparse.HalfSelection;
import io.github.panagrad.adapters.sparse.LargestGradients;
import io.github.panagrad.adapters.sparse.LotteryTicket;
import io.github.panagrad.adapters.sparse.MaskRule;
import io.github.panagrad.adapters.sparse.SparseFineTuner;
import io.github.panagrad.examples.tuning.HalfTuning;
import io.github.panagrad.examples.tuning.LotteryTuning;
import io.github.panagrad.examples.tuning.MaskedWeights;
import io.github.panagrad.examples.tuning.Method;
import io.github.panagrad.examples.tuning.SparseEntries;
import java.util.List;

/// Methods that train some of the model's own entries, or masks over them.
final class SparseMethods {
    private static final Setting DENSITY =
            Setting.of("density", 0.01, "share of the entries that train");

    private SparseMethods() {}

    static List<Entry<Method>> all() {
        return List.of(
                entries(
                        "sparse",
                        "the entries with the largest gradients",
                        "w ← w − η·m ⊙ g, m the largest Σ|g|",
                        "in the manner of SIFT, arXiv 2312.11875",
                        LargestGradients.class,
                        SparseEntries.Choice.GRADIENT),
                entries(
                        "magnitude-mask",
                        "the largest entries",
                        "w ← w − η·m ⊙ g, m the largest |w|",
                        "SHiRA, arXiv 2406.13175",
                        MaskRule.class,
                        SparseEntries.Choice.MAGNITUDE),
                entries(
                        "random-mask",
                        "entries drawn at random",
                        "w ← w − η·m ⊙ g, m at random",
                        "SHiRA, arXiv 2406.13175",
                        MaskRule.class,
                        SparseEntries.Choice.RANDOM),
                lottery(),
                half(),
                mask());
    }

    private static Entry<Method> entries(
            String name,
            String summary,
            String formula,
            String source,
            Class<?> type,
            SparseEntries.Choice choice) {
        return Entry.<Method>of(
                        name,
                        summary,
                        formula,
                        source,
                        type,
                        s -> new SparseEntries(s.number("density"), choice))
                .with(DENSITY);
    }

    private static Entry<Method> lottery() {
        return Entry.<Method>of(
                        "lt-sft",
                        "the entries that full fine-tuning moves furthest, as a change that adds up",
                        "θ = θ⁰ + φ, φ where |θ¹ − θ⁰| is largest",
                        "LT-SFT, arXiv 2110.07560",
                        SparseFineTuner.class,
                        s ->
                                new LotteryTuning(
                                        LotteryTicket.density(s.number("density"))
                                                .iterations(s.integer("iterations"))
                                                .l1(s.number("l1-full"), s.number("l1-sparse")),
                                        s.integer("full-steps")))
                .with(
                        DENSITY,
                        Setting.of("iterations", 1, "how often further entries are chosen"),
                        Setting.of("full-steps", 0, "steps of full phases; 0: those of the run"),
                        Setting.of("l1-full", 0, "λ of the pull λ·Σ|θ − θ⁰|/P in full phases"),
                        Setting.of("l1-sparse", 0, "λ of the same in sparse phases"));
    }

    private static Entry<Method> half() {
        return Entry.<Method>of(
                        "hft",
                        "half of the parameters, another half in each round",
                        "w ← w − η·μ_r ⊙ g, μ_r half of the matrices",
                        "half fine-tuning, arXiv 2404.18466",
                        HalfFineTuning.class,
                        s ->
                                new HalfTuning(
                                        new HalfSelection(
                                                s.choice("level", HalfSelection.Level.class),
                                                s.number("fraction"),
                                                0,
                                                s.choice("outside", HalfSelection.Outside.class)),
                                        s.choice("round", HalfTuning.Rounds.class),
                                        s.integer("stage")))
                .with(
                        Setting.of("level", "category", "category, layer or model"),
                        Setting.of("fraction", 0.5, "share that trains"),
                        Setting.of("round", "stage", "stage (a run) or epoch"),
                        Setting.of("stage", 0, "number of the run in a sequence"),
                        Setting.of("outside", "auto", "embeddings and head: auto, train, freeze"));
    }

    private static Entry<Method> mask() {
        MaskTuning usual = MaskTuning.standard();
        return Entry.<Method>of(
                        "mask",
                        "which weights are switched off",
                        "y = (1[s > τ] ⊙ W)·x",
                        "regularised mask tuning, arXiv 2307.15049",
                        MaskTuning.class,
                        s ->
                                new MaskedWeights(
                                        new MaskTuning(
                                                s.number("init"),
                                                s.number("threshold"),
                                                s.number("l2")),
                                        Methods.targets(s),
                                        s.number("dropout")))
                .with(
                        Setting.of("init", usual.init(), "first score of every weight"),
                        Setting.of("threshold", usual.threshold(), "scores above it are on"),
                        Setting.of("l2", usual.l2(), "weight of the scores' norms"),
                        Setting.of("dropout", 0, "λ of the gradient dropout, 0 to 1"),
                        Setting.of(
                                "targets",
                                "",
                                "layers, by name or pattern, between +; none: attention's"));
    }
}
