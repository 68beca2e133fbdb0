package io.github.panagrad.examples.demo;

import io.github.panagrad.adapters.Lora;
import io.github.panagrad.adapters.delta.AppliedDelta;
import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.delta.LayerScaling;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.models.CausalLM;
import java.util.List;
import java.util.function.DoubleFunction;
import java.util.stream.IntStream;

/// Scales a change by depth (LiNeS, arXiv 2410.17146) and as a whole, and sets beside each other what
/// is left of the target and of what was known. Nothing is trained for the sweep.
final class DepthScalingDemo implements Demonstration {
    private static final String STORIES = "stories at equal loss";
    private static final String BEST = "best weighted score";
    private static final String WHOLE = "full, one factor";
    private static final String DEPTH = "full, by depth";
    private static final String LORA_WHOLE = "LoRA, one factor";
    private static final String LORA_DEPTH = "LoRA, by depth";
    private static final int POINTS = 10;

    @Override
    public String name() {
        return "depth-scaling";
    }

    @Override
    public List<String> shows() {
        return List.of("LayerScaling");
    }

    @Override
    public String setting() {
        return "stories260k learns Shakespeare in 60 steps of 4 windows of 128 tokens, in full and by"
                + " LoRA of rank 8. Its change is then multiplied by one factor, or by α in the first"
                + " block, rising to 1 in the last one, for 0, 0.1, … 1. The first figure is the loss"
                + " on stories where both ways have the same loss on plays, the mean over the range"
                + " that both reach; the second the largest 2·a + b of a sweep, where a is the share"
                + " of the gain on plays and b that of the untouched model's accuracy on stories, as"
                + " exp −loss.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.lower(DEPTH, STORIES, "by depth, less is forgotten for the same gain"),
                Claim.lower(LORA_DEPTH, STORIES, "so it is with LoRA").against(LORA_WHOLE),
                Claim.higher(DEPTH, BEST, "the best point of the sweep is better"));
    }

    @Override
    public int usualSeeds() {
        return 4;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        measure(TwoTexts.of(trial), trial.steps(60), trial.seed(), figures);
    }

    static void measure(TwoTexts texts, int steps, long seed, Recorder figures) {
        CausalLM model = texts.load();
        sweeps(texts, model, full(texts, model, steps, seed), WHOLE, DEPTH, figures);
        Delta lora = lora(texts, model, steps, seed);
        sweeps(texts, model, lora, LORA_WHOLE, LORA_DEPTH, figures);
    }

    /// Trains all parameters, and leaves the model as it was.
    private static Delta full(TwoTexts texts, CausalLM model, int steps, long seed) {
        var base = Delta.snapshot(model);
        texts.train(model, 2e-3, steps, steps, 0, seed);
        Delta delta = Delta.difference(base, model.stateDict());
        model.load(base);
        return delta;
    }

    private static Delta lora(TwoTexts texts, CausalLM model, int steps, long seed) {
        var adapter = Lora.rank(8).seed(seed).attach(model, "model.layers.**_proj");
        texts.train(model, 4e-3, steps, steps, 0, seed);
        Delta delta = adapter.delta();
        adapter.detach();
        return delta;
    }

    private static void sweeps(
            TwoTexts texts,
            CausalLM model,
            Delta delta,
            String nameOfWhole,
            String nameOfDepth,
            Recorder figures) {
        ParamSelection all = model.selection();
        TradeOff whole = sweep(texts, model, delta::times);
        TradeOff depth = sweep(texts, model, a -> LayerScaling.linear(a, 1 - a).apply(delta, all));
        double low = Math.max(whole.lowest(), depth.lowest());
        double high = Math.min(whole.highest(), depth.highest());
        TradeOff.Point untouched = whole.points().getFirst();
        TradeOff.Point tuned = whole.points().getLast();
        figures.add(nameOfWhole, STORIES, whole.meanControl(low, high));
        figures.add(nameOfWhole, BEST, best(whole, untouched, tuned));
        figures.add(nameOfDepth, STORIES, depth.meanControl(low, high));
        figures.add(nameOfDepth, BEST, best(depth, untouched, tuned));
    }

    private static TradeOff sweep(TwoTexts texts, CausalLM model, DoubleFunction<Delta> scaled) {
        return new TradeOff(
                IntStream.rangeClosed(0, POINTS)
                        .mapToObj(i -> {
                            double at = i / (double) POINTS;
                            try (AppliedDelta _ = scaled.apply(at).apply(model)) {
                                return texts.measure(model, at);
                            }
                        })
                        .toList());
    }

    private static double best(TradeOff way, TradeOff.Point untouched, TradeOff.Point tuned) {
        return way.points().stream()
                .mapToDouble(p ->
                        2
                                        * (untouched.target() - p.target())
                                        / (untouched.target() - tuned.target())
                                + Math.exp(untouched.control() - p.control()))
                .max()
                .orElseThrow();
    }
}
