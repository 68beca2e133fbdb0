package io.github.panagrad.adapters;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.io.JsonObject;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/// Bottleneck adapters: a narrow network around a layer, f(x·down)·up, added to the layer's output.
///
/// Sequential ones take the layer's output (Houlsby et al., arXiv 1902.00751), parallel ones its
/// input, scaled ones multiply what they add (He et al., arXiv 2110.04366).
///
/// ```java
/// var adapter = Bottleneck.scaledParallel(64, 4).attach(model, "**.mlp");
/// ```
///
/// The up-projection starts at zero, so that the model is unchanged at first. PEFT has no such
/// adapters; the files are a documented extension of its format.
///
/// @param width of the bottleneck
/// @param form what is applied in it
/// @param insertion where its input comes from
/// @param scale s, what its output is multiplied by
/// @param learnsScale whether s is trained too
/// @param seed of the initial down-projection
public record Bottleneck(
        int width, Form form, Insertion insertion, double scale, boolean learnsScale, long seed)
        implements AdapterMethod {
    static final String PEFT_TYPE = "PANAGRAD_BOTTLENECK";

    /// The function in the bottleneck.
    public enum Form {
        /// max(0, x), as published.
        RELU,
        /// The Gaussian error linear unit.
        GELU,
        /// None: a low-rank map.
        IDENTITY
    }

    /// Where the input comes from.
    public enum Insertion {
        /// From the layer's output.
        SEQUENTIAL,
        /// From the layer's input.
        PARALLEL
    }

    /// Checks the ranges.
    public Bottleneck {
        if (width < 1 || !Double.isFinite(scale)) {
            throw new PanagradException(
                    "bottleneck",
                    "out of range",
                    "width " + width + ", scale " + scale,
                    "width >= 1, a finite scale",
                    "");
        }
    }

    /// Starts with a sequential adapter: on attention and feed-forward part that is Houlsby's, on the
    /// feed-forward part alone Pfeiffer's (arXiv 2005.00247).
    public static Bottleneck sequential(int width) {
        return new Bottleneck(width, Form.RELU, Insertion.SEQUENTIAL, 1, false, 0);
    }

    /// Starts with a parallel adapter.
    public static Bottleneck parallel(int width) {
        return new Bottleneck(width, Form.RELU, Insertion.PARALLEL, 1, false, 0);
    }

    /// Starts with a parallel adapter whose output is multiplied by `scale`; 4 in the paper.
    public static Bottleneck scaledParallel(int width, double scale) {
        return parallel(width).scale(scale);
    }

    /// Sets the function in the bottleneck.
    public Bottleneck form(Form value) {
        return new Bottleneck(width, value, insertion, scale, learnsScale, seed);
    }

    /// Sets s.
    public Bottleneck scale(double value) {
        return new Bottleneck(width, form, insertion, value, learnsScale, seed);
    }

    /// Trains s too.
    public Bottleneck learnsScale(boolean on) {
        return new Bottleneck(width, form, insertion, scale, on, seed);
    }

    /// Sets the seed of the initial down-projection.
    public Bottleneck seed(long value) {
        return new Bottleneck(width, form, insertion, scale, learnsScale, value);
    }

    @Override
    public Class<? extends Layer> layerType() {
        return Layer.class;
    }

    @Override
    public Parts parts(Module model, Map<String, Layer> targets) {
        Rng rng = Rng.of(seed);
        var layers = new LinkedHashMap<String, LayerAdapter>();
        targets.forEach(
                (path, layer) -> layers.put(path, new BottleneckLayer(this, path, layer, rng)));
        return new Parts(layers);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public JsonObject config() {
        return JsonObject.of(
                "bottleneck_width", width,
                "form", form.name().toLowerCase(Locale.ROOT),
                "insertion", insertion.name().toLowerCase(Locale.ROOT),
                "scale", scale,
                "learns_scale", learnsScale);
    }

    static Bottleneck read(JsonObject config) {
        return new Bottleneck(
                config.integer("bottleneck_width"),
                constant(config, "form", Form.class),
                constant(config, "insertion", Insertion.class),
                config.number("scale", 1),
                config.bool("learns_scale", false),
                0);
    }

    private static <E extends Enum<E>> E constant(JsonObject config, String field, Class<E> type) {
        String name = config.string(field);
        for (E constant : type.getEnumConstants()) {
            if (constant.name().equalsIgnoreCase(name)) {
                return constant;
            }
        }
        throw config.error(
                field,
                "not known: " + name,
                java.util.Arrays.toString(type.getEnumConstants()).toLowerCase(Locale.ROOT),
                "");
    }
}
