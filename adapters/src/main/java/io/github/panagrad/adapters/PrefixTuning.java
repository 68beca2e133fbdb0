package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.layers.Embedding;
import io.github.panagrad.nn.layers.Linear;
import java.util.LinkedHashMap;
import java.util.List;
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
/// context is shorter by their number, in a table of learned positions too. Each sequence of a packed
/// row has the prefix; in layers with a window of keys, packed rows are refused.
///
/// @param tokens how many keys and values
/// @param projection width of a network that makes them of smaller embeddings while training, and is
///     left out of the file; 0 for none
/// @param seed of the initial values
public record PrefixTuning(int tokens, int projection, long seed) implements AdapterMethod {
    static final String PEFT_TYPE = "PREFIX_TUNING";

    private static final String POSITIONS = "position_embeddings";

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
        return PathPattern.anyOf(List.of("**.self_attn", "**.attention.self"));
    }

    /// Returns the tables of learned positions, in which tokens stand behind the prefix.
    @Override
    public Map<String, Layer> companions(Module model, Map<String, Layer> targets) {
        var tables = new LinkedHashMap<String, Layer>();
        model.modules()
                .forEach((path, module) -> {
                    if (module instanceof Embedding table && path.endsWith(POSITIONS)) {
                        tables.put(path, table);
                    }
                });
        return tables;
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
        var attention = new LinkedHashMap<>(targets);
        attention.values().removeIf(Embedding.class::isInstance);
        if (attention.isEmpty()) {
            throw notAttention(targets.keySet().toString());
        }
        int width = keyWidth(attention.firstEntry().getValue());
        var prefix = new Prefix(this, width, 2 * attention.size(), Rng.of(seed));
        var positions = new ShiftedPositions();
        var layers = new LinkedHashMap<String, LayerAdapter>();
        attention.forEach((path, layer) -> {
            if (keyWidth(layer) != width) {
                throw new PanagradException(
                        "prefix tuning",
                        "attention layers differ in the width of keys",
                        keyWidth(layer) + " at " + path,
                        width + " as in the first",
                        "");
            }
            layers.put(path, new PrefixLayer(prefix, layers.size(), positions));
        });
        targets.keySet().stream()
                .filter(path -> !attention.containsKey(path))
                .forEach(path -> layers.put(path, new PrefixLayer.Places(tokens)));
        return new Parts(layers, prefix);
    }

    private static int keyWidth(Layer attention) {
        Map<String, Module> within = attention.modules();
        if (within.getOrDefault("k_proj", within.get("key")) instanceof Linear keys) {
            return keys.out();
        }
        throw notAttention(attention.path());
    }

    private static PanagradException notAttention(String path) {
        return new PanagradException(
                "prefix tuning",
                "not an attention layer with a linear layer for keys, k_proj or key",
                path,
                "layers such as model.layers.0.self_attn or encoder.layer.0.attention.self",
                "");
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
