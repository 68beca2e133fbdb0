package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.layers.Linear;
import java.util.LinkedHashMap;
import java.util.Map;

/// Prefix tuning: every attention layer sees some learned keys and values before those of the tokens
/// (Li and Liang, arXiv 2101.00190).
///
/// ```java
/// var adapter = PrefixTuning.tokens(16).attach(model);
/// ```
///
/// Unlike other methods it changes the model from the first step on: attention is shared with the
/// prefix. Prefix keys have no position; tokens stand behind them, as in PEFT, so that the model's
/// context is shorter by their number. Packed rows are refused: a prefix belongs to each sequence.
///
/// @param tokens how many keys and values
/// @param projection width of a network that makes them of smaller embeddings while training, and is
///     left out of the file; 0 for none
/// @param seed of the initial values
public record PrefixTuning(int tokens, int projection, long seed) implements AdapterMethod {
    static final String PEFT_TYPE = "PREFIX_TUNING";

    /// Checks the ranges.
    public PrefixTuning {
        if (tokens < 1 || projection < 0) {
            throw new PanagradException(
                    "prefix tuning",
                    "out of range",
                    "tokens " + tokens + ", projection " + projection,
                    "tokens >= 1, projection >= 0",
                    "");
        }
    }

    /// Starts with a number of positions and no projection.
    public static PrefixTuning tokens(int count) {
        return new PrefixTuning(count, 0, 0);
    }

    /// Makes the prefix by a network of this inner width, which trains more steadily (section 4.3).
    public PrefixTuning projection(int width) {
        return new PrefixTuning(tokens, width, seed);
    }

    /// Sets the seed of the initial values.
    public PrefixTuning seed(long value) {
        return new PrefixTuning(tokens, projection, value);
    }

    /// Attaches to all attention layers.
    public Adapter attach(Module model) {
        return attach(model, usualTargets());
    }

    @Override
    public PathPattern usualTargets() {
        return PathPattern.of("**.self_attn");
    }

    @Override
    public Class<? extends Layer> layerType() {
        return Layer.class;
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public String sharedPrefix() {
        return "";
    }

    @Override
    public Map<String, Tensor> savedShared(Module shared) {
        return Map.of(Prefix.NAME, Ops.noGrad(((Prefix) shared)::values));
    }

    @Override
    public Parts parts(Module model, Map<String, Layer> targets) {
        int width = keyWidth(targets.values().iterator().next());
        var prefix = new Prefix(this, width, 2 * targets.size(), Rng.of(seed));
        var layers = new LinkedHashMap<String, LayerAdapter>();
        targets.forEach((path, layer) -> {
            if (keyWidth(layer) != width) {
                throw new PanagradException(
                        "prefix tuning",
                        "attention layers differ in the width of keys",
                        keyWidth(layer) + " at " + path,
                        width + " as in the first",
                        "");
            }
            layers.put(path, new PrefixLayer(prefix, layers.size()));
        });
        return new Parts(layers, prefix);
    }

    private static int keyWidth(Layer attention) {
        if (!(attention.modules().get("k_proj") instanceof Linear keys)) {
            throw new PanagradException(
                    "prefix tuning",
                    "not an attention layer with k_proj",
                    attention.path(),
                    "layers such as model.layers.0.self_attn",
                    "");
        }
        return keys.out();
    }

    @Override
    public JsonObject config() {
        return JsonObject.of(
                "num_virtual_tokens",
                tokens,
                "prefix_projection",
                false,
                "encoder_hidden_size",
                projection == 0 ? null : projection);
    }

    static PrefixTuning read(JsonObject config) {
        return tokens(config.integer("num_virtual_tokens"));
    }
}
