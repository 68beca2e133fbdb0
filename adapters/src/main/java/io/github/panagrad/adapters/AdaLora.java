package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.layers.Linear;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Penalty;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Low-rank adaptation that gives its ranks to the layers that need them: y = W·x +
/// (α/r₀)·B·diag(E)·A·x, with A and B held near orthonormal and the least important entries of E set
/// to zero while training (AdaLoRA, Zhang et al., arXiv 2303.10512).
///
/// ```java
/// var adapter = AdaLora.rank(8).warmup(100).finish(300).every(10).attach(model, "**.{q,v}_proj");
/// var budget = AdaLora.budget(adapter);
/// Trainer.of(model, optimizer, AdaLora.regularized(objective, adapter))
///         .transform(budget).onStep(budget) …
/// ```
///
/// As in PEFT and the authors' code, α is divided by the initial rank and stays so, and the
/// regulariser is the mean of Frobenius norms, where the paper's equation 4 squares them.
public final class AdaLora implements AdapterMethod {
    static final String PEFT_TYPE = "ADALORA";

    private final int rank;
    private int initialRank;
    private double alpha;
    private double dropout;
    private long seed;
    private long warmup = 10;
    private long finish;
    private long every = 1;
    private double sensitivityDecay = 0.85;
    private double uncertaintyDecay = 0.85;
    private double orthogonality = 0.5;
    private Map<String, boolean[]> patterns = Map.of();

    private AdaLora(int rank) {
        this.rank = rank;
        this.initialRank = (3 * rank + 1) / 2;
        this.alpha = 2.0 * rank;
    }

    private AdaLora(AdaLora other) {
        rank = other.rank;
        initialRank = other.initialRank;
        alpha = other.alpha;
        dropout = other.dropout;
        seed = other.seed;
        warmup = other.warmup;
        finish = other.finish;
        every = other.every;
        sensitivityDecay = other.sensitivityDecay;
        uncertaintyDecay = other.uncertaintyDecay;
        orthogonality = other.orthogonality;
        patterns = other.patterns;
    }

    private AdaLora checked() {
        require(rank >= 1 && initialRank >= rank, "ranks", rank + " of at first " + initialRank);
        require(alpha > 0, "alpha", "" + alpha);
        require(dropout >= 0 && dropout < 1, "dropout", "" + dropout);
        require(warmup >= 0 && finish >= 0 && every >= 1, "steps", warmup + ", " + finish);
        require(isDecay(sensitivityDecay), "decay", "" + sensitivityDecay);
        require(isDecay(uncertaintyDecay), "decay", "" + uncertaintyDecay);
        require(orthogonality >= 0, "orthogonality", "" + orthogonality);
        return this;
    }

    private static boolean isDecay(double value) {
        return value > 0 && value < 1;
    }

    private static void require(boolean holds, String what, String found) {
        if (!holds) {
            throw new PanagradException(
                    "adalora",
                    what + " out of range",
                    found,
                    "1 <= rank <= initial rank, alpha > 0, dropout in [0, 1), steps >= 0, every >= 1,"
                            + " decays in (0, 1), orthogonality >= 0",
                    "");
        }
    }

    /// Starts with the mean rank that is left in the end; at first it is half as large again.
    public static AdaLora rank(int target) {
        return new AdaLora(target).checked();
    }

    /// Sets the rank that every layer has at first.
    public AdaLora initialRank(int value) {
        var changed = new AdaLora(this);
        changed.initialRank = value;
        return changed.checked();
    }

    /// Sets α: the detour is multiplied by α divided by the initial rank.
    public AdaLora alpha(double value) {
        var changed = new AdaLora(this);
        changed.alpha = value;
        return changed.checked();
    }

    /// Sets the dropout before A.
    public AdaLora dropout(double p) {
        var changed = new AdaLora(this);
        changed.dropout = p;
        return changed.checked();
    }

    /// Sets the seed of the initial A and B; E starts at zero.
    public AdaLora seed(long value) {
        var changed = new AdaLora(this);
        changed.seed = value;
        return changed;
    }

    /// Sets for how many steps at first nothing is taken away, PEFT's `tinit`; 10 if not set, as
    /// nothing is known to matter while E is still zero.
    public AdaLora warmup(long steps) {
        var changed = new AdaLora(this);
        changed.warmup = steps;
        return changed.checked();
    }

    /// Sets how many steps in the end train the ranks that are left, PEFT's `tfinal`.
    public AdaLora finish(long steps) {
        var changed = new AdaLora(this);
        changed.finish = steps;
        return changed.checked();
    }

    /// Sets after how many steps ranks are given anew, PEFT's `deltaT`.
    public AdaLora every(long steps) {
        var changed = new AdaLora(this);
        changed.every = steps;
        return changed.checked();
    }

    /// Sets β₁ and β₂: how slowly the averages of sensitivity and uncertainty forget.
    public AdaLora decays(double sensitivity, double uncertainty) {
        var changed = new AdaLora(this);
        changed.sensitivityDecay = sensitivity;
        changed.uncertaintyDecay = uncertainty;
        return changed.checked();
    }

    /// Sets the weight of the regulariser, PEFT's `orth_reg_weight`.
    public AdaLora orthogonality(double weight) {
        var changed = new AdaLora(this);
        changed.orthogonality = weight;
        return changed.checked();
    }

    // What the parts and the budget need

    int rank() {
        return rank;
    }

    int initialRank() {
        return initialRank;
    }

    double alpha() {
        return alpha;
    }

    double dropout() {
        return dropout;
    }

    long warmup() {
        return warmup;
    }

    long finish() {
        return finish;
    }

    long every() {
        return every;
    }

    double sensitivityDecay() {
        return sensitivityDecay;
    }

    double uncertaintyDecay() {
        return uncertaintyDecay;
    }

    /// Returns which of the initial directions a layer still has.
    boolean[] pattern(String path) {
        boolean[] pattern = patterns.get(path);
        if (pattern == null) {
            pattern = new boolean[initialRank];
            Arrays.fill(pattern, true);
        }
        return pattern.clone();
    }

    /// Returns what takes ranks away while an adapter trains.
    ///
    /// @throws PanagradException if the adapter is of another method
    public static AdaLoraBudget budget(Adapter adapter) {
        return new AdaLoraBudget(of(adapter), parts(adapter));
    }

    /// Adds the regulariser that holds A and B near orthonormal to an objective, and lets it remember
    /// with a run's state what a [#budget] follows.
    ///
    /// @throws PanagradException if the adapter is of another method
    public static <B> Objective<B> regularized(Objective<B> objective, Adapter adapter) {
        double weight = of(adapter).orthogonality;
        Map<String, AdaLoraLayer> byPath = parts(adapter);
        List<AdaLoraLayer> parts = List.copyOf(byPath.values());
        return Penalty.on(objective, "orthogonality", weight, () -> distance(parts))
                .remembering("adalora", new AdaLoraMemory(byPath));
    }

    /// Returns the mean over all A and B of ‖A·Aᵀ − I‖ and ‖Bᵀ·B − I‖.
    static Tensor distance(List<AdaLoraLayer> parts) {
        Tensor sum = null;
        int count = 0;
        for (AdaLoraLayer part : parts) {
            for (Tensor distance : part.distancesFromOrthonormal()) {
                sum = sum == null ? distance : sum.add(distance);
                count++;
            }
        }
        return sum == null ? Ops.zeros() : sum.div(count);
    }

    private static AdaLora of(Adapter adapter) {
        if (adapter.method() instanceof AdaLora method) {
            return method;
        }
        throw new PanagradException(
                "adalora",
                "the adapter is of another method",
                adapter.method().peftType(),
                PEFT_TYPE,
                "attach it with AdaLora.rank(r).attach(model, pattern)");
    }

    private static Map<String, AdaLoraLayer> parts(Adapter adapter) {
        var parts = new LinkedHashMap<String, AdaLoraLayer>();
        adapter.parts().layers().forEach((path, part) -> parts.put(path, (AdaLoraLayer) part));
        return parts;
    }

    // Attaching and files

    @Override
    public Parts parts(Module model, Map<String, Layer> targets) {
        Rng rng = Rng.of(seed);
        var layers = new LinkedHashMap<String, LayerAdapter>();
        targets.forEach((path, layer) ->
                layers.put(path, new AdaLoraLayer(this, path, (Linear) layer, rng)));
        return new Parts(layers);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public JsonObject config() {
        return JsonObject.of(
                "init_r", initialRank,
                "target_r", rank,
                "lora_alpha", PeftFiles.number(alpha),
                "lora_dropout", dropout,
                "bias", "none",
                "fan_in_fan_out", false,
                "init_lora_weights", true,
                "tinit", warmup,
                "tfinal", finish,
                "deltaT", every,
                "total_step", warmup + finish + 1,
                "beta1", sensitivityDecay,
                "beta2", uncertaintyDecay,
                "orth_reg_weight", orthogonality);
    }

    @Override
    public JsonObject config(Parts parts) {
        var patterns = new LinkedHashMap<String, List<Boolean>>();
        parts.layers()
                .forEach((path, part) -> {
                    boolean[] pattern = ((AdaLoraLayer) part).pattern();
                    var kept = new ArrayList<Boolean>();
                    for (boolean keeps : pattern) {
                        kept.add(keeps);
                    }
                    if (kept.contains(false)) {
                        patterns.put(path + "." + AdaLoraLayer.VALUES, kept);
                    }
                });
        return config().with("rank_pattern", patterns.isEmpty() ? null : patterns);
    }

    /// Reads the settings from PEFT's fields.
    static AdaLora read(JsonObject config) {
        PeftFiles.requireNone(config, "bias", "trained biases are not supported");
        int initialRank = config.integer("init_r", 12);
        var method =
                rank(Math.min(config.integer("target_r", 8), initialRank))
                        .initialRank(initialRank)
                        .alpha(config.number("lora_alpha", 8))
                        .dropout(config.number("lora_dropout", 0))
                        .warmup(config.integer("tinit", 0))
                        .finish(config.integer("tfinal", 0))
                        .every(config.integer("deltaT", 1))
                        .decays(config.number("beta1", 0.85), config.number("beta2", 0.85))
                        .orthogonality(config.number("orth_reg_weight", 0.5));
        method.patterns = AdaLoraLayer.patterns(config, initialRank);
        return method;
    }
}
