package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.HeadFilter;
import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import java.util.List;

/// Computes the loss over a vocabulary of 32000 with its gradients as plain ops do, in pieces, and with
/// what is small left out of the gradient (Cut Cross-Entropy, arXiv 2411.09009); see [HeadCosts].
final class CutCrossEntropyDemo implements Demonstration {
    private static final String CHUNKED = "chunked";
    private static final String BLOCKS = "blocks below 2^-12";
    private static final String BY_TYPE = "blocks below 2^-28";
    private static final String MEMORY = "MiB beside gradients";
    private static final String TIME = "time, composed = 1";
    private static final String TRAINED = "loss, trained head";
    private static final String FRESH = "loss, fresh head";
    private static final int TOKENS = 512;
    private static final int ROWS = 128;

    @Override
    public String name() {
        return "cut-cross-entropy";
    }

    @Override
    public List<String> shows() {
        return List.of("cce");
    }

    @Override
    public String setting() {
        return "The head of stories15m (V 32000, D 288) on 512 states of a story of TinyStories:"
                + " medians of five runs of the loss with both gradients, times against the plain ops"
                + " in the same process. Then the head learns on, from its weights and from a fresh"
                + " start, in 40 steps of 128 states by AdamW; the exact loss, a mean over the"
                + " steps. 2^-12 is the threshold for weights in BF16, 2^-28 that for F32.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.lower(CHUNKED, MEMORY, "in pieces, it takes less memory"),
                Claim.lower(BLOCKS, TIME, "leaving out what is small takes less time")
                        .against(CHUNKED),
                Claim.lower(BLOCKS, TRAINED, "a trained head loses less than 0.01 nats by it")
                        .against(CHUNKED)
                        .within(0.01),
                Claim.lower(BLOCKS, FRESH, "so does a fresh one").against(CHUNKED).within(0.01),
                Claim.lower(BY_TYPE, FRESH, "a fresh one does with the threshold for F32")
                        .against(CHUNKED)
                        .within(0.01));
    }

    @Override
    public int usualSeeds() {
        return 3;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        CausalLM model = trial.model("stories15m");
        String text = Texts.read(trial.path("datasets/tinystories/sample.txt"));
        int tokens = trial.rows(TOKENS);
        String stretch = text.substring((int) trial.seed() * 4 * TOKENS).substring(0, 8 * TOKENS);
        var costs = HeadCosts.of(model, stretch, tokens, Math.min(ROWS, tokens), trial.steps(40));
        double composed = 0;
        for (HeadCosts.Cost cost : costs.costs()) {
            composed = composed == 0 ? cost.milliseconds() : composed;
            figures.add(cost.name(), MEMORY, cost.bytes() / 0x1p20);
            figures.add(cost.name(), TIME, cost.milliseconds() / composed);
            figures.add(cost.name(), "share dropped", cost.dropped());
        }
        learn(costs, CHUNKED, HeadOptions.DEFAULT, figures);
        double small = HeadFilter.thresholdOf(DType.BF16);
        learn(costs, "entries below 2^-12", HeadOptions.DEFAULT.filter(small), figures);
        learn(costs, BLOCKS, HeadCosts.blocks(small), figures);
        learn(costs, BY_TYPE, HeadCosts.blocks(HeadFilter.thresholdOf(DType.F32)), figures);
    }

    private static void learn(HeadCosts costs, String arm, HeadOptions options, Recorder figures) {
        for (boolean fresh : new boolean[] {false, true}) {
            HeadCosts.Curve curve =
                    costs.curve(fresh, options, w -> AdamW.of(List.of(w)).lr(1e-3).weightDecay(0));
            figures.add(arm, fresh ? FRESH : TRAINED, curve.mean());
        }
    }
}
