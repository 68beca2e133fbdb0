package io.github.panagrad.adapters.spectra;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.ParamSelection;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The condition numbers of some parameters, by path.
///
/// ```java
/// var conditions = ConditionNumbers.of(model.selection(), 4096);
/// var chosen = KappaSelection.lowest(conditions, 12, Ranking.RAW);
/// ```
///
/// Parameters of more than two dimensions are taken as matrices whose rows are their first. Stored
/// weights are widened, and decomposed in F64.
public final class ConditionNumbers {
    /// How many random matrices of a shape are looked at for what κ is usual.
    private static final int DRAWN = 9;

    private final Map<String, Condition> byPath;
    private final Map<String, String> skipped;
    private final Map<List<Integer>, Double> usual = new HashMap<>();

    private ConditionNumbers(Map<String, Condition> byPath, Map<String, String> skipped) {
        this.byPath = Collections.unmodifiableMap(byPath);
        this.skipped = Collections.unmodifiableMap(skipped);
    }

    /// What parameters are ordered by, the least first.
    public enum Ranking {
        /// κ, as in KappaTune; tall and wide matrices come first for their shape alone.
        RAW,
        /// κ over the median κ of random Gaussian matrices of the same shape.
        RELATIVE
    }

    /// Computes the condition numbers of the matrices among some parameters.
    ///
    /// @param parameters tied ones come once; vectors are left out
    /// @param maxDim matrices with a larger extent, such as embeddings, are left out
    public static ConditionNumbers of(ParamSelection parameters, int maxDim) {
        var byPath = new LinkedHashMap<String, Condition>();
        var skipped = new LinkedHashMap<String, String>();
        for (ParamSelection.Entry entry : parameters) {
            Parameter p = entry.parameter();
            if (p.rank() < 2 || Arrays.stream(p.shape().toArray()).anyMatch(d -> d > maxDim)) {
                continue;
            }
            int rows = p.dim(0);
            int cols = Math.toIntExact(p.size() / rows);
            try {
                byPath.put(entry.path(), Condition.of(p.toDoubles(), rows, cols));
            } catch (PanagradException e) {
                skipped.put(entry.path(), String.valueOf(e.getMessage()));
            }
        }
        return new ConditionNumbers(byPath, skipped);
    }

    /// Gathers condition numbers that are known already.
    public static ConditionNumbers of(Map<String, Condition> byPath) {
        return new ConditionNumbers(new LinkedHashMap<>(byPath), Map.of());
    }

    /// Returns the condition numbers by path.
    public Map<String, Condition> byPath() {
        return byPath;
    }

    /// Returns why there is none for some matrices, by path; they are never chosen.
    public Map<String, String> skipped() {
        return skipped;
    }

    /// Returns κ over the median κ of random Gaussian matrices of the same shape.
    ///
    /// @throws PanagradException if there is no such parameter
    public double relative(String path) {
        Condition c = get(path);
        return c.kappa() / usual(c.rows(), c.cols());
    }

    private Condition get(String path) {
        Condition c = byPath.get(path);
        if (c == null) {
            throw new PanagradException(
                    "condition numbers",
                    "none is known for " + path,
                    byPath.size() + " parameters",
                    "",
                    skipped.getOrDefault(path, ""));
        }
        return c;
    }

    /// Returns the median κ of Gaussian matrices; those of transposed ones are the same.
    private double usual(int rows, int cols) {
        int high = Math.max(rows, cols);
        int low = Math.min(rows, cols);
        return usual.computeIfAbsent(
                List.of(high, low),
                shape -> {
                    double[] kappas = new double[DRAWN];
                    for (int i = 0; i < DRAWN; i++) {
                        var draw = new Rng.Draw(high * 31L + low, i);
                        double[] a = new double[high * low];
                        Arrays.setAll(a, draw::normal);
                        kappas[i] = Condition.of(a, high, low).kappa();
                    }
                    Arrays.sort(kappas);
                    return kappas[DRAWN / 2];
                });
    }

    /// Returns all paths, the best conditioned first; ties are in the order of their names.
    public List<String> ranked(Ranking ranking) {
        var keys = new HashMap<String, Double>();
        byPath.forEach(
                (path, c) -> keys.put(path, ranking == Ranking.RAW ? c.kappa() : relative(path)));
        return keys.entrySet().stream()
                .sorted(
                        Map.Entry.<String, Double>comparingByValue()
                                .thenComparing(Comparator.comparing(Map.Entry::getKey)))
                .map(Map.Entry::getKey)
                .toList();
    }

    /// Returns a table, the best conditioned first.
    @Override
    public String toString() {
        var text = new StringBuilder("       κ  relative   volume  σ first   σ last  parameter\n");
        for (String path : ranked(Ranking.RAW)) {
            Condition c = get(path);
            text.append(
                    String.format(
                            Locale.ROOT,
                            "%8.1f  %8.2f  %7.3f  %7.3f  %7.4f  %s%n",
                            c.kappa(),
                            relative(path),
                            c.logVolume(),
                            c.largest(),
                            c.smallest(),
                            path));
        }
        skipped.forEach(
                (path, why) -> text.append("skipped ").append(path).append(": ").append(why));
        return text.toString();
    }
}
