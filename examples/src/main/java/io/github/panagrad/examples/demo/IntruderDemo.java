package io.github.panagrad.examples.demo;

import io.github.panagrad.adapters.Lora;
import io.github.panagrad.adapters.delta.AppliedDelta;
import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.spectra.Spectra;
import io.github.panagrad.adapters.spectra.SpectraReport;
import io.github.panagrad.nn.models.CausalLM;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Fine-tunes in full and by LoRA of several ranks to the same loss, counts the intruder dimensions of
/// each (arXiv 2410.21228), and scales those of the lowest rank down again.
final class IntruderDemo implements Demonstration {
    private static final String FULL = "full";
    private static final String RANK_1 = "LoRA r 1";
    private static final String RANK_4 = "LoRA r 4";
    private static final String LARGE_ALPHA = "LoRA r 4, α 32";
    private static final String STABLE = "rsLoRA r 32";
    private static final String HALVED = "LoRA r 1, intruders halved";
    private static final String NONE = "LoRA r 1, without intruders";
    private static final String INTRUDERS = "intruders";
    private static final String STORIES = "loss of stories";
    private static final String PLAYS = "loss of plays";
    private static final String SUM = "sum of losses";
    private static final int K = 10;
    private static final double EPSILON = 0.5;
    private static final int LOOK = 5;

    @Override
    public String name() {
        return "intruders";
    }

    @Override
    public List<String> shows() {
        return List.of("Spectra", "SpectraReport");
    }

    @Override
    public String setting() {
        return "stories260k learns Shakespeare, 4 windows of 128 tokens a step, until its loss on"
                + " plays held out is at most 3.1, 150 steps at most. Intruders are those of the 10"
                + " largest left singular vectors of each of the 35 matrices that resemble none of the"
                + " base's by more than 0.5. Those of LoRA of rank 1 are then halved, or taken away.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.higher(RANK_1, INTRUDERS, "LoRA of rank 1 has more intruders"),
                Claim.higher(LARGE_ALPHA, INTRUDERS, "a large α makes more").against(RANK_4),
                Claim.lower(STABLE, INTRUDERS, "rank-stabilised LoRA of high rank has fewer")
                        .against(RANK_1),
                Claim.higher(RANK_1, STORIES, "LoRA of rank 1 forgets more at the same loss"),
                Claim.lower(HALVED, STORIES, "halving intruders brings stories back")
                        .against(RANK_1),
                Claim.lower(HALVED, SUM, "it gives more than it costs").against(RANK_1));
    }

    @Override
    public int usualSeeds() {
        return 4;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        measure(TwoTexts.of(trial), trial.steps(150), 3.1, trial.seed(), figures);
    }

    static void measure(TwoTexts texts, int steps, double goal, long seed, Recorder figures) {
        CausalLM base = texts.load();
        var spectra =
                Spectra.of(
                        base.selection().blocks(b -> true).where(e -> e.parameter().rank() == 2));
        for (Map.Entry<String, Optional<Lora>> arm : arms(seed).entrySet()) {
            String name = arm.getKey();
            CausalLM model = texts.load();
            var adapter = arm.getValue().map(lora -> lora.attach(model, "model.layers.**_proj"));
            double lr = adapter.isPresent() ? 4e-3 : 2e-3;
            TradeOff.Point last =
                    texts.train(model, lr, steps, LOOK, goal, seed).points().getLast();
            Delta delta =
                    adapter.map(a -> a.delta())
                            .orElseGet(() ->
                                    Delta.difference(Delta.snapshot(base), model.stateDict()));
            SpectraReport report = spectra.compare(delta, K, EPSILON);
            figures.add(name, "steps", last.at());
            losses(name, last, figures);
            figures.add(name, INTRUDERS, report.intruders());
            figures.add(name, "stable rank", report.meanStableRank());
            if (name.equals(RANK_1)) {
                damped(HALVED, base, texts, delta.plus(report.dampIntruders(0.5)), figures);
                damped(NONE, base, texts, delta.plus(report.dampIntruders(0)), figures);
            }
        }
    }

    private static Map<String, Optional<Lora>> arms(long seed) {
        var arms = new LinkedHashMap<String, Optional<Lora>>();
        arms.put(FULL, Optional.empty());
        arms.put(RANK_1, Optional.of(Lora.rank(1).alpha(2).seed(seed)));
        arms.put(RANK_4, Optional.of(Lora.rank(4).alpha(8).seed(seed)));
        arms.put("LoRA r 32", Optional.of(Lora.rank(32).alpha(64).seed(seed)));
        arms.put(STABLE, Optional.of(Lora.rank(32).alpha(11).rankStabilized(true).seed(seed)));
        arms.put(LARGE_ALPHA, Optional.of(Lora.rank(4).alpha(32).seed(seed)));
        return arms;
    }

    private static void damped(
            String name, CausalLM base, TwoTexts texts, Delta delta, Recorder figures) {
        try (AppliedDelta _ = delta.apply(base)) {
            losses(name, texts.measure(base, 0), figures);
        }
    }

    private static void losses(String arm, TradeOff.Point point, Recorder figures) {
        figures.add(arm, PLAYS, point.target());
        figures.add(arm, STORIES, point.control());
        figures.add(arm, SUM, point.target() + point.control());
    }
}
