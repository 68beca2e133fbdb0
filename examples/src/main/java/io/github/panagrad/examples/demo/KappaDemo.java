package io.github.panagrad.examples.demo;

import io.github.panagrad.adapters.Lora;
import io.github.panagrad.adapters.spectra.ConditionNumbers;
import io.github.panagrad.adapters.spectra.ConditionNumbers.Ranking;
import io.github.panagrad.adapters.spectra.KappaSelection;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.models.CausalLM;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Trains equally many parameters of matrices that are chosen by condition number, the lowest
/// (KappaTune) and the highest, at random, and at random in the feed-forward part, which the lowest
/// are in by their shape alone; and by LoRA.
final class KappaDemo implements Demonstration {
    private static final String RANDOM = "random";
    private static final String LOWEST = "lowest κ";
    private static final String HIGHEST = "highest κ";
    private static final String RELATIVE = "lowest relative κ";
    private static final String RANDOM_MLP = "random MLP";
    private static final String STORIES = "stories at equal loss";
    private static final int MAX_DIM = 4096;
    private static final int LOOK = 5;

    @Override
    public String name() {
        return "kappa";
    }

    @Override
    public List<String> shows() {
        return List.of("kappa");
    }

    @Override
    public String setting() {
        return "stories260k learns Shakespeare in 60 steps of 4 windows of 128 tokens. Of its 35"
                + " matrices those train that come first in an order, as many as the ten of the lowest"
                + " condition number have parameters; LoRA's rank is chosen by the same count. Stories"
                + " are compared where the loss on plays is the lowest that all arms reach.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.lower(LOWEST, STORIES, "the lowest κ forget less than a random choice"),
                Claim.lower(LOWEST, STORIES, "and less than the highest").against(HIGHEST),
                Claim.lower(LOWEST, STORIES, "and less than random matrices of the same kind")
                        .against(RANDOM_MLP),
                Claim.lower(RELATIVE, STORIES, "the lowest relative κ forget less"));
    }

    @Override
    public int usualSeeds() {
        return 5;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        measure(TwoTexts.of(trial), trial.steps(60), 10, trial.seed(), figures);
    }

    /// Trains all arms on the same data and seed.
    ///
    /// @param tensors how many matrices the lowest ones are, which sets the number of parameters
    static void measure(TwoTexts texts, int steps, int tensors, long seed, Recorder figures) {
        ParamSelection blocks = texts.load().selection().blocks(b -> true);
        var conditions = ConditionNumbers.of(blocks, MAX_DIM);
        long budget = KappaSelection.lowest(conditions, tensors, Ranking.RAW).of(blocks).count();
        Map<String, TradeOff> ways = new LinkedHashMap<>();
        orders(conditions, seed)
                .forEach((arm, order) -> {
                    CausalLM model = texts.load();
                    model.freeze();
                    within(order, conditions, budget)
                            .of(model.selection())
                            .parameters()
                            .forEach(p -> p.trainable(true));
                    figures.add(arm, "parameters", model.trainableCount());
                    ways.put(arm, texts.train(model, 2e-3, steps, LOOK, 0, seed));
                });
        CausalLM model = texts.load();
        int rank = (int) (budget / rankOne(conditions));
        Lora.rank(rank).seed(seed).attach(model, "model.layers.**_proj");
        figures.add("LoRA", "parameters", model.trainableCount());
        ways.put("LoRA", texts.train(model, 4e-3, steps, LOOK, 0, seed));

        double common = TradeOff.reachedByAll(ways.values());
        ways.forEach((arm, way) -> {
            figures.add(arm, "loss of plays", way.points().getLast().target());
            figures.add(arm, STORIES, way.controlAt(common).orElseThrow());
        });
    }

    /// Orders the matrices in every way that is compared.
    private static Map<String, List<String>> orders(ConditionNumbers conditions, long seed) {
        var orders = new LinkedHashMap<String, List<String>>();
        List<String> ranked = conditions.ranked(Ranking.RAW);
        orders.put(RANDOM, shuffled(ranked, seed));
        orders.put(LOWEST, ranked);
        orders.put(HIGHEST, ranked.reversed());
        orders.put(RELATIVE, conditions.ranked(Ranking.RELATIVE));
        orders.put(
                RANDOM_MLP,
                shuffled(ranked.stream().filter(p -> p.contains(".mlp.")).toList(), seed));
        return orders;
    }

    private static List<String> shuffled(List<String> paths, long seed) {
        var order = new ArrayList<>(paths);
        Collections.shuffle(order, new Random(seed));
        return order;
    }

    /// Takes matrices in their order, those that still fit, so that all arms train about equally many
    /// parameters.
    private static KappaSelection within(
            List<String> order, ConditionNumbers conditions, long budget) {
        var taken = new ArrayList<String>();
        long left = budget;
        for (String path : order) {
            var condition = conditions.byPath().get(path);
            if (condition != null && condition.size() <= left) {
                taken.add(path);
                left -= condition.size();
            }
        }
        return new KappaSelection(taken);
    }

    /// Returns how many parameters LoRA of rank 1 has.
    private static long rankOne(ConditionNumbers conditions) {
        return conditions.byPath().values().stream().mapToLong(c -> c.rows() + c.cols()).sum();
    }
}
