package io.github.panagrad.examples.demo;

import io.github.panagrad.adapters.Bottleneck;
import io.github.panagrad.adapters.Lora;
import io.github.panagrad.adapters.Mam;
import io.github.panagrad.adapters.PrefixTuning;
import io.github.panagrad.nn.models.CausalLM;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// Modifies hidden states in every way of the unified view (arXiv 2110.04366) with about the same number
/// of parameters: bottlenecks in sequence and in parallel, low-rank detours, a prefix, and both mixed.
final class ModificationsDemo implements Demonstration {
    private static final String LORA_ATTENTION = "LoRA on attention";
    private static final String LORA_INNER = "LoRA on feed-forward";
    private static final String SEQUENTIAL = "bottleneck behind feed-forward";
    private static final String PARALLEL = "bottleneck beside it, s 1";
    private static final String SCALED = "bottleneck beside it, s 4";
    private static final String PREFIX = "prefix of 14";
    private static final String MIXED = "prefix of 7 and bottleneck, s 4";
    private static final String PLAYS = "loss of plays";

    @Override
    public String name() {
        return "modifications";
    }

    @Override
    public List<String> shows() {
        return List.of("houlsby", "pfeiffer", "parallel", "prefix", "mam", "lora");
    }

    @Override
    public String setting() {
        return "stories260k learns Shakespeare in 100 steps of 4 windows of 128 tokens, some 4,500"
                + " parameters in each arm but the last, which trains all 260,000.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.lower(PARALLEL, PLAYS, "in parallel is better than in sequence")
                        .against(SEQUENTIAL),
                Claim.lower(SCALED, PLAYS, "scaling by 4 is better than by 1").against(PARALLEL),
                Claim.lower(LORA_INNER, PLAYS, "the feed-forward part is the better place"),
                Claim.lower(MIXED, PLAYS, "mixed is better than a prefix alone").against(PREFIX),
                Claim.lower(MIXED, PLAYS, "and than bottlenecks alone").against(SCALED));
    }

    @Override
    public int usualSeeds() {
        return 4;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        measure(TwoTexts.of(trial), trial.steps(100), trial.seed(), figures);
    }

    static void measure(TwoTexts texts, int steps, long seed, Recorder figures) {
        arms(seed)
                .forEach((arm, attach) -> {
                    CausalLM model = texts.load();
                    attach.accept(model);
                    figures.add(arm, "parameters", model.trainableCount());
                    double lr = arm.equals("full") ? 2e-3 : 1e-2;
                    TradeOff way = texts.train(model, lr, steps, steps, 0, seed);
                    figures.add(arm, PLAYS, way.points().getLast().target());
                    figures.add(arm, "loss of stories", way.points().getLast().control());
                });
    }

    private static Map<String, Consumer<CausalLM>> arms(long seed) {
        Map<String, Consumer<CausalLM>> arms = new LinkedHashMap<>();
        arms.put(
                LORA_ATTENTION,
                m -> Lora.rank(2).alpha(4).seed(seed).attach(m, "**.self_attn.*_proj"));
        arms.put(
                LORA_INNER,
                m -> Lora.rank(2).alpha(4).seed(seed).attach(m, "**.mlp.{up,down}_proj"));
        arms.put(
                "bottlenecks behind both",
                m -> Bottleneck.sequential(3).seed(seed).attach(m, "**.{self_attn,mlp}"));
        arms.put(SEQUENTIAL, m -> Bottleneck.sequential(7).seed(seed).attach(m, "**.mlp"));
        arms.put(PARALLEL, m -> Bottleneck.parallel(7).scale(1).seed(seed).attach(m, "**.mlp"));
        arms.put(SCALED, m -> Bottleneck.parallel(7).scale(4).seed(seed).attach(m, "**.mlp"));
        arms.put(PREFIX, m -> PrefixTuning.tokens(14).seed(seed).attach(m));
        arms.put(MIXED, m -> Mam.of(7, 3, 4).seed(seed).attach(m));
        arms.put("full", m -> {});
        return arms;
    }
}
