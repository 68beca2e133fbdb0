package io.github.panagrad.nn.metrics;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntPredicate;

/// Which tokens an objective gives weight: what the model finds hard.
///
/// ```java
/// var heavy = new HeavyTokens();
/// var objective = PerplexityWeighted.of(model).onWeight(heavy::add);
/// heavy.heaviest(20, 3) …
/// ```
public final class HeavyTokens {
    private final Map<Integer, Total> totals = new TreeMap<>();

    private static final class Total {
        private double weight;
        private long count;
    }

    /// A token with its mean weight.
    ///
    /// @param id the token
    /// @param weight its mean weight
    /// @param count how often it was weighed
    public record Heavy(int id, double weight, long count) {}

    /// Creates an empty collection.
    public HeavyTokens() {}

    /// Takes note of a weighed token.
    public void add(int id, double weight) {
        Total total = totals.computeIfAbsent(id, t -> new Total());
        total.weight += weight;
        total.count++;
    }

    /// Returns the tokens with the highest mean weight, the heaviest first.
    ///
    /// @param many how many at most
    /// @param least how often a token has to have been weighed
    public List<Heavy> heaviest(int many, long least) {
        return totals.entrySet().stream()
                .filter(e -> e.getValue().count >= least)
                .map(e ->
                        new Heavy(
                                e.getKey(),
                                e.getValue().weight / e.getValue().count,
                                e.getValue().count))
                .sorted(Comparator.comparingDouble(Heavy::weight).reversed())
                .limit(many)
                .toList();
    }

    /// Returns the share of all weight that some tokens have, such as those of digits; 0 of nothing.
    public double share(IntPredicate which) {
        double all = 0;
        double some = 0;
        for (var entry : totals.entrySet()) {
            all += entry.getValue().weight;
            some += which.test(entry.getKey()) ? entry.getValue().weight : 0;
        }
        return all == 0 ? 0 : some / all;
    }
}
