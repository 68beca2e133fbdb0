package io.github.panagrad.adapters;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.io.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The mix-and-match adapter: a short prefix in every attention layer and a scaled parallel
/// bottleneck at every feed-forward part (He et al., arXiv 2110.04366, section 4.6).
///
/// ```java
/// var adapter = Mam.of(16, 16, 2).attach(model);
/// ```
///
/// @param prefix what attention layers get
/// @param bottleneck what feed-forward parts get
public record Mam(PrefixTuning prefix, Bottleneck bottleneck) implements AdapterMethod {
    static final String PEFT_TYPE = "PANAGRAD_MAM";

    /// Sets the prefix's length, the bottleneck's width and its scale: 30, 512 and 4 in the paper for
    /// long texts, 16, 16 and 2 for classification.
    public static Mam of(int prefix, int bottleneck, double scale) {
        return new Mam(PrefixTuning.tokens(prefix), Bottleneck.scaledParallel(bottleneck, scale));
    }

    /// Sets the seed of the initial values.
    public Mam seed(long value) {
        return new Mam(prefix.seed(value), bottleneck.seed(value));
    }

    /// Attaches to all attention layers and feed-forward parts.
    public Adapter attach(Module model) {
        return attach(model, usualTargets());
    }

    @Override
    public PathPattern usualTargets() {
        return PathPattern.anyOf(List.of("**.self_attn", "**.mlp"));
    }

    @Override
    public Class<? extends Layer> layerType() {
        return Layer.class;
    }

    @Override
    public Parts parts(Module model, Map<String, Layer> targets) {
        Map<String, Layer> attention = new LinkedHashMap<>(targets);
        attention.keySet().removeIf(path -> !prefix.usualTargets().matches(path));
        Map<String, Layer> others = new LinkedHashMap<>(targets);
        others.keySet().removeAll(attention.keySet());
        Parts prefixed = prefix.parts(model, attention);
        var layers = new LinkedHashMap<>(prefixed.layers());
        layers.putAll(bottleneck.parts(model, others).layers());
        return new Parts(layers, prefixed.shared());
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public String sharedPrefix() {
        return prefix.sharedPrefix();
    }

    @Override
    public Map<String, Tensor> savedShared(Module shared) {
        return prefix.savedShared(shared);
    }

    @Override
    public JsonObject config() {
        JsonObject config = prefix.config();
        for (var field : bottleneck.config().asMap().entrySet()) {
            config = config.with(field.getKey(), field.getValue());
        }
        return config;
    }

    static Mam read(JsonObject config) {
        return new Mam(PrefixTuning.read(config), Bottleneck.read(config));
    }
}
