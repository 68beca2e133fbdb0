package io.github.panagrad.adapters;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Interceptor;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.layers.Linear;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Learned scales: keys and values, and the inner activations of feed-forward parts, are multiplied entry
/// by entry (IA³, Liu et al., arXiv 2205.05638).
///
/// ```java
/// var adapter = Ia3.standard().attach(model, "**.{k_proj,v_proj,down_proj}");
/// ```
///
/// @param inputs ends of paths of the layers whose input is scaled, not their output: those that end a
///     feed-forward part
public record Ia3(List<String> inputs) implements AdapterMethod {
    static final String PEFT_TYPE = "IA3";

    private static final String NAME = "ia3_l";

    /// Copies the list.
    public Ia3 {
        inputs = List.copyOf(inputs);
    }

    /// Scales the input of layers called `down_proj` and the output of all others.
    public static Ia3 standard() {
        return new Ia3(List.of("down_proj"));
    }

    @Override
    public Parts parts(Module model, Map<String, Layer> targets) {
        var layers = new LinkedHashMap<String, LayerAdapter>();
        targets.forEach((path, layer) -> {
            boolean input = inputs.stream().anyMatch(end -> (path + ".").endsWith("." + end + "."));
            Linear base = (Linear) layer;
            layers.put(path, input ? new InputScale(base.in()) : new OutputScale(base.out()));
        });
        return new Parts(layers);
    }

    private static final class OutputScale extends LayerAdapter {
        private final Parameter scale;

        OutputScale(int out) {
            scale = parameter(NAME, Init.ones().draw(Shape.of(out, 1), Rng.of(0)));
        }

        @Override
        protected Tensor forward(Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
            return inner.apply(x).mul(scale.reshape(scale.dim(0)));
        }

        @Override
        protected Tensor mergedWeight(Tensor weight) {
            return weight.mul(scale);
        }

        @Override
        protected Tensor mergedBias(Tensor bias) {
            return bias.mul(scale.reshape(scale.dim(0)));
        }
    }

    private static final class InputScale extends LayerAdapter {
        private final Parameter scale;

        InputScale(int in) {
            scale = parameter(NAME, Init.ones().draw(Shape.of(1, in), Rng.of(0)));
        }

        @Override
        protected Tensor forward(Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
            return inner.apply(x.mul(scale.reshape(scale.dim(1))));
        }

        @Override
        protected Tensor mergedWeight(Tensor weight) {
            return weight.mul(scale);
        }
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public JsonObject config() {
        return JsonObject.of(
                "feedforward_modules", inputs, "fan_in_fan_out", false, "init_ia3_weights", true);
    }

    static Ia3 read(JsonObject config) {
        Object named = config.get("feedforward_modules");
        if (named instanceof String one) {
            return new Ia3(List.of(one));
        }
        return new Ia3(named == null ? List.of() : config.strings("feedforward_modules"));
    }
}
