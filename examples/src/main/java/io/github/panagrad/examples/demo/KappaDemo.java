package io.github.panagrad.examples.demo;

import io.github.panagrad.adapters.Lora;
import io.github.panagrad.adapters.spectra.ConditionNumbers;
import io.github.panagrad.adapters.spectra.ConditionNumbers.Ranking;
import io.github.panagrad.adapters.spectra.KappaSelection;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.models.CausalLM;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;

/// Trains equally many parameters of matrices that are chosen by condition number, the lowest
/// (KappaTune) and the highest, at random, and at random in the feed-forward part, which the lowest
/// are in by their shape alone; and by LoRA.
///
/// @param texts what is learnt, and what was known
/// @param steps of training
/// @param tensors how many matrices the lowest ones are, which sets the number of parameters
public record KappaDemo(TwoTexts texts, int steps, int tensors) {
    private static final int MAX_DIM = 4096;
    private static final int LOOK = 5;

    /// What came of an arm.
    ///
    /// @param name of the arm
    /// @param trained how many parameters
    /// @param curve both losses over training
    public record Arm(String name, long trained, TradeOff curve) {}

    /// Trains all arms on the same data and seed.
    public List<Arm> run(long seed) {
        CausalLM base = texts.load();
        ParamSelection blocks = base.selection().blocks(b -> true);
        var conditions = ConditionNumbers.of(blocks, MAX_DIM);
        long budget = KappaSelection.lowest(conditions, tensors, Ranking.RAW).of(blocks).count();
        var arms = new ArrayList<Arm>();
        orders(conditions, seed)
                .forEach((name, order) -> {
                    CausalLM model = texts.load();
                    model.freeze();
                    within(order, conditions, budget)
                            .of(model.selection())
                            .parameters()
                            .forEach(p -> p.trainable(true));
                    arms.add(arm(name, model, 5e-4, seed));
                });
        CausalLM model = texts.load();
        int rank = (int) (budget / rankOne(conditions));
        Lora.rank(rank).seed(seed).attach(model, "model.layers.**_proj");
        arms.add(arm("LoRA r=" + rank, model, 2e-3, seed));
        return arms;
    }

    private Arm arm(String name, CausalLM model, double lr, long seed) {
        return new Arm(name, model.trainableCount(), texts.train(model, lr, steps, LOOK, 0, seed));
    }

    /// Orders the matrices in every way that is compared.
    private static Map<String, List<String>> orders(ConditionNumbers conditions, long seed) {
        var orders = new LinkedHashMap<String, List<String>>();
        List<String> ranked = conditions.ranked(Ranking.RAW);
        orders.put("lowest κ", ranked);
        orders.put("highest κ", ranked.reversed());
        orders.put("lowest relative κ", conditions.ranked(Ranking.RELATIVE));
        orders.put("random", shuffled(ranked, seed));
        orders.put("random, again", shuffled(ranked, seed + 1));
        orders.put(
                "random MLP",
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

    /// Lays figures out as a table, the control losses also at the lowest target loss that all reach.
    public static String table(List<Arm> arms) {
        double common = arms.stream().mapToDouble(a -> a.curve.lowest()).max().orElseThrow();
        var text =
                new StringBuilder(
                        String.format(
                                Locale.ROOT,
                                "arm                    trained   target  control  control at target"
                                        + " %.3f%n",
                                common));
        for (Arm arm : arms) {
            TradeOff.Point last = arm.curve.points().getLast();
            OptionalDouble at = arm.curve.controlAt(common);
            text.append(
                    String.format(
                            Locale.ROOT,
                            "%-18s %,11d %8.4f %8.4f %8s%n",
                            arm.name,
                            arm.trained,
                            last.target(),
                            last.control(),
                            at.isPresent()
                                    ? String.format(Locale.ROOT, "%.4f", at.getAsDouble())
                                    : ""));
        }
        return text.append(verdict(arms, common)).toString();
    }

    private static String verdict(List<Arm> arms, double common) {
        Arm best =
                arms.stream()
                        .min(
                                Comparator.comparingDouble(
                                        a -> a.curve.controlAt(common).orElse(Double.MAX_VALUE)))
                        .orElseThrow();
        return best.equals(arms.getFirst())
                ? "the lowest κ forget least at equal target loss\n"
                : "forgets least at equal target loss: "
                        + best.name
                        + "; that the lowest κ do is not shown at this scale\n";
    }
}
