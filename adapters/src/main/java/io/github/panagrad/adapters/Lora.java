package io.github.panagrad.adapters;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.layers.Linear;
import java.util.LinkedHashMap;
import java.util.Map;

/// Low-rank adaptation: a frozen linear layer gets a trainable detour of rank r, y = W·x +
/// (α/r)·B·A·x (Hu et al., arXiv 2106.09685).
///
/// ```java
/// var adapter = Lora.rank(8).alpha(16).attach(model, "**.{q,v}_proj");
/// ```
public final class Lora implements AdapterMethod {
    static final String PEFT_TYPE = "LORA";

    private int rank;
    private double alpha;
    private double dropout;
    private long seed;
    private boolean rankStabilized;
    private Patterns<Integer> ranks = Patterns.none();
    private Patterns<Double> alphas = Patterns.none();

    private Lora(int rank) {
        this.rank = rank;
        this.alpha = 2.0 * rank;
    }

    private Lora(Lora other) {
        rank = other.rank;
        alpha = other.alpha;
        dropout = other.dropout;
        seed = other.seed;
        rankStabilized = other.rankStabilized;
        ranks = other.ranks;
        alphas = other.alphas;
    }

    private Lora checked() {
        if (rank < 1 || !(alpha > 0) || !(dropout >= 0 && dropout < 1)) {
            throw new PanagradException(
                    "lora",
                    "out of range",
                    "rank " + rank + ", alpha " + alpha + ", dropout " + dropout,
                    "rank >= 1, alpha > 0, dropout in [0, 1)",
                    "");
        }
        return this;
    }

    /// Starts with a rank, alpha 2·rank, and no dropout.
    public static Lora rank(int rank) {
        return new Lora(rank).checked();
    }

    /// Sets α: the detour is multiplied by α/r.
    public Lora alpha(double value) {
        var changed = new Lora(this);
        changed.alpha = value;
        return changed.checked();
    }

    /// Sets the dropout before A: the probability with which entries of x are dropped in training.
    public Lora dropout(double p) {
        var changed = new Lora(this);
        changed.dropout = p;
        return changed.checked();
    }

    /// Sets the seed of the initial A; B starts at zero, so that the model is unchanged at first.
    public Lora seed(long value) {
        var changed = new Lora(this);
        changed.seed = value;
        return changed;
    }

    /// Multiplies the detour by α/√r instead of α/r, so that high ranks learn as fast as low ones
    /// (rsLoRA, Kalajdzievski, arXiv 2312.03732).
    public Lora rankStabilized(boolean on) {
        var changed = new Lora(this);
        changed.rankStabilized = on;
        return changed;
    }

    /// Gives some layers a rank of their own; the first pattern that matches decides.
    ///
    /// @param pattern a regular expression over the end of the layer's path, as in PEFT's
    ///     `rank_pattern`
    public Lora rankOf(String pattern, int value) {
        var changed = new Lora(this);
        changed.ranks = ranks.with(pattern, value);
        return changed;
    }

    /// Gives some layers an alpha of their own; the first pattern that matches decides.
    ///
    /// @param pattern a regular expression over the end of the layer's path, as in PEFT's
    ///     `alpha_pattern`
    public Lora alphaOf(String pattern, double value) {
        var changed = new Lora(this);
        changed.alphas = alphas.with(pattern, value);
        return changed;
    }

    /// Returns the rank of layers that no pattern matches.
    public int rank() {
        return rank;
    }

    /// Returns the rank of the detour around a layer.
    public int rank(String path) {
        return ranks.get(path, rank);
    }

    /// Returns what the detour around a layer is multiplied by, α/r or α/√r.
    public double scale(String path) {
        double r = rank(path);
        return alphas.get(path, alpha) / (rankStabilized ? Math.sqrt(r) : r);
    }

    /// Returns the dropout before A.
    public double dropout() {
        return dropout;
    }

    @Override
    public Parts parts(Module model, Map<String, Layer> targets) {
        Rng rng = Rng.of(seed);
        var layers = new LinkedHashMap<String, LayerAdapter>();
        targets.forEach(
                (path, layer) -> layers.put(path, new LoraLayer(this, path, (Linear) layer, rng)));
        return new Parts(layers);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public JsonObject config() {
        return JsonObject.of(
                "r",
                rank,
                "lora_alpha",
                PeftFiles.number(alpha),
                "lora_dropout",
                dropout,
                "bias",
                "none",
                "fan_in_fan_out",
                false,
                "init_lora_weights",
                true,
                "use_rslora",
                rankStabilized,
                "use_dora",
                false,
                "rank_pattern",
                ranks.asMap(),
                "alpha_pattern",
                alphas.asMap());
    }

    /// Reads the settings from PEFT's fields.
    static Lora read(JsonObject config) {
        PeftFiles.requireNone(config, "bias", "trained biases are not supported");
        if (config.bool("use_dora", false)) {
            throw config.error("use_dora", "DoRA is not supported", "false", "");
        }
        int rank = config.integer("r", 8);
        var lora =
                rank(rank)
                        .alpha(config.number("lora_alpha", rank))
                        .dropout(config.number("lora_dropout", 0))
                        .rankStabilized(config.bool("use_rslora", false));
        lora.ranks = Patterns.read(config, "rank_pattern", JsonObject::integer);
        lora.alphas = Patterns.read(config, "alpha_pattern", JsonObject::number);
        return lora;
    }
}
