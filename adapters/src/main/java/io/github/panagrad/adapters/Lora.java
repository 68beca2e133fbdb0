package io.github.panagrad.adapters;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.layers.Linear;
import io.github.panagrad.nn.optim.ParamGroup;
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
    private boolean dora;
    private boolean freezesDown;
    private LoraInit init = LoraInit.kaimingUniform();
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
        dora = other.dora;
        freezesDown = other.freezesDown;
        init = other.init;
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
        if (dora && init.subtractsStart()) {
            throw new PanagradException(
                    "lora",
                    "DoRA needs factors whose product starts at zero",
                    init.toString(),
                    "an initialisation such as kaimingUniform",
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

    /// Trains the length of every row of the weight apart from its direction, which the detour turns
    /// (DoRA, Liu et al., arXiv 2402.09353; the lengths divided by carry no gradient, section 4.3).
    public Lora dora(boolean on) {
        var changed = new Lora(this);
        changed.dora = on;
        return changed.checked();
    }

    /// Trains B alone and leaves A as it was drawn, so that the inputs of the layer need not be kept
    /// for backward (LoRA-FA, Zhang et al., arXiv 2308.03303).
    public Lora freezesDown(boolean on) {
        var changed = new Lora(this);
        changed.freezesDown = on;
        return changed.checked();
    }

    /// Sets how A and B begin.
    public Lora init(LoraInit value) {
        var changed = new Lora(this);
        changed.init = value;
        return changed.checked();
    }

    /// Returns groups for the optimizer in which B learns faster than A (LoRA+, Hayou et al.,
    /// arXiv 2402.12354).
    ///
    /// ```java
    /// AdamW.of(model.trainable()).lr(lr).group(Lora.faster(lr, 16))
    /// ```
    ///
    /// @param lr the learning rate of A
    /// @param ratio λ, how many times faster B learns: 16 in the paper
    public static ParamGroup faster(double lr, double ratio) {
        return ParamGroup.of("**.lora_B.weight").lr(lr * ratio);
    }

    /// Gives some layers a rank of their own, or with 0 no detour; the first pattern that matches
    /// decides.
    ///
    /// @param pattern a regular expression over the end of the layer's path, as in PEFT's
    ///     `rank_pattern`
    public Lora rankOf(String pattern, int value) {
        if (value < 0) {
            throw new PanagradException(
                    "lora", "rank of " + pattern + " out of range", "" + value, "0 or more", "");
        }
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

    boolean isDora() {
        return dora;
    }

    boolean freezesDown() {
        return freezesDown;
    }

    LoraInit init() {
        return init;
    }

    @Override
    public Parts parts(Module model, Map<String, Layer> targets) {
        Rng rng = Rng.of(seed);
        var layers = new LinkedHashMap<String, LayerAdapter>();
        targets.forEach((path, layer) -> {
            if (rank(path) > 0) {
                layers.put(path, new LoraLayer(this, path, (Linear) layer, rng));
            }
        });
        return new Parts(layers);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    /// As PEFT has no initial factors to subtract, a detour with them is written as one of twice the
    /// rank.
    @Override
    public JsonObject config() {
        int factor = init.subtractsStart() ? 2 : 1;
        boolean halved = factor == 2 && rankStabilized;
        return JsonObject.of(
                "r",
                rank * factor,
                "lora_alpha",
                PeftFiles.number(halved ? alpha * Math.sqrt(2) : alpha * factor),
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
                dora,
                "rank_pattern",
                ranks.where(r -> r > 0).map(r -> r * factor).asMap(),
                "alpha_pattern",
                alphas.map(a -> halved ? a * Math.sqrt(2) : a * factor).asMap());
    }

    /// Reads the settings from PEFT's fields.
    static Lora read(JsonObject config) {
        PeftFiles.requireNone(config, "bias", "trained biases are not supported");
        int rank = config.integer("r", 8);
        var lora =
                rank(rank)
                        .alpha(config.number("lora_alpha", rank))
                        .dropout(config.number("lora_dropout", 0))
                        .rankStabilized(config.bool("use_rslora", false))
                        .dora(config.bool("use_dora", false));
        lora.ranks = Patterns.read(config, "rank_pattern", JsonObject::integer);
        lora.alphas = Patterns.read(config, "alpha_pattern", JsonObject::number);
        return lora;
    }
}
