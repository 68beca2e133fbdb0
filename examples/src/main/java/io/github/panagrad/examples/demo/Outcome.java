package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.metrics.Spread;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/// The figures of a demonstration: of each arm, the plain one first, those of each seed.
///
/// @param name the demonstration's name
/// @param seeds how many seeds there were, from 0
/// @param arms for each arm by its name its figures by their measure, one a seed; not to be modified
public record Outcome(String name, int seeds, Map<String, Map<String, double[]>> arms) {
    private static final String SEEDS = "seeds";
    private static final String ARMS = "arms";

    /// Keeps six digits of each figure, so that a file of them says the same.
    ///
    /// @throws PanagradException if there is no arm, or a figure is missing or not finite
    public Outcome {
        var copy = new LinkedHashMap<String, Map<String, double[]>>();
        for (var arm : arms.entrySet()) {
            var row = new LinkedHashMap<String, double[]>();
            for (var figures : arm.getValue().entrySet()) {
                double[] values = figures.getValue();
                if (values.length != seeds || !Arrays.stream(values).allMatch(Double::isFinite)) {
                    throw new PanagradException(
                            "demo " + name,
                            "no figures of " + arm.getKey() + ", " + figures.getKey(),
                            Arrays.toString(values),
                            seeds + " finite numbers",
                            "");
                }
                row.put(figures.getKey(), Arrays.stream(values).map(Outcome::rounded).toArray());
            }
            copy.put(arm.getKey(), Collections.unmodifiableMap(row));
        }
        if (copy.isEmpty()) {
            throw new PanagradException("demo " + name, "has no arms", "", "at least one", "");
        }
        arms = Collections.unmodifiableMap(copy);
    }

    private static double rounded(double value) {
        return new BigDecimal(value).round(new MathContext(6)).doubleValue();
    }

    /// Returns room for a figure of each seed; one that never comes is not finite.
    static double[] none(int seeds) {
        double[] none = new double[seeds];
        Arrays.fill(none, Double.NaN);
        return none;
    }

    /// Returns the name of the plain arm.
    public String plain() {
        return arms.keySet().iterator().next();
    }

    /// Returns the names of all measures, in order.
    public List<String> measures() {
        var all = new LinkedHashSet<String>();
        arms.values().forEach(row -> all.addAll(row.keySet()));
        return List.copyOf(all);
    }

    /// Returns the figures of an arm in a measure, one a seed.
    ///
    /// @throws PanagradException if there are none
    public double[] values(String arm, String measure) {
        double[] values = arms.getOrDefault(arm, Map.of()).get(measure);
        if (values == null) {
            throw new PanagradException(
                    "demo " + name,
                    "no figures of " + arm + ", " + measure,
                    "arms " + arms.keySet() + ", measures " + measures(),
                    "figures of the demonstration as it is now",
                    "run it again");
        }
        return values.clone();
    }

    /// Returns mean and deviation of an arm in a measure.
    public Spread spread(String arm, String measure) {
        return Spread.of(values(arm, measure));
    }

    /// Returns the figures without the name, to be kept in a file.
    public JsonObject toJson() {
        var rows = new LinkedHashMap<String, Object>();
        arms.forEach((arm, measures) -> {
            var row = new LinkedHashMap<String, Object>();
            measures.forEach(
                    (measure, values) -> row.put(measure, Arrays.stream(values).boxed().toList()));
            rows.put(arm, row);
        });
        return JsonObject.of(SEEDS, (long) seeds, ARMS, rows);
    }

    /// Reads what [#toJson] gave.
    static Outcome of(String name, JsonObject json) {
        var arms = new LinkedHashMap<String, Map<String, double[]>>();
        JsonObject rows = json.object(ARMS);
        for (String arm : rows.names()) {
            JsonObject row = rows.object(arm);
            var figures = new LinkedHashMap<String, double[]>();
            for (String measure : row.names()) {
                figures.put(
                        measure,
                        row.list(measure).stream()
                                .mapToDouble(
                                        v -> v instanceof Number n ? n.doubleValue() : Double.NaN)
                                .toArray());
            }
            arms.put(arm, figures);
        }
        return new Outcome(name, json.integer(SEEDS), arms);
    }
}
