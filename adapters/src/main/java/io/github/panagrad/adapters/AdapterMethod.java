package io.github.panagrad.adapters;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.layers.Linear;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A way to adapt a frozen model by small trainable parts around some of its layers, with its
/// settings. Immutable.
///
/// ```java
/// var adapter = Lora.rank(8).alpha(16).attach(model, "**.{q,v}_proj");
/// ```
///
/// A method is one class that implements this, and one that extends [LayerAdapter]; neither knows a
/// model, and no model knows them.
public interface AdapterMethod {
    /// Returns the method's name in the files of Hugging Face's PEFT, such as `LORA`; for a method
    /// that PEFT does not have, one of our own.
    String peftType();

    /// Tells whether PEFT has the method and reads its files.
    default boolean isPeft() {
        return !peftType().startsWith("PANAGRAD_");
    }

    /// Returns the settings as fields of PEFT's `adapter_config.json`, without those that all methods
    /// share.
    JsonObject config();

    /// Returns the settings as [#config()] does, with what training has changed of them.
    ///
    /// @param parts the parts whose values are written beside
    default JsonObject config(Parts parts) {
        return config();
    }

    /// Makes the parts for some layers, with their initial values.
    ///
    /// @param model the model that the layers are in, frozen
    /// @param targets the layers by path, in the model's order; all of [#layerType], and the
    ///     [#companions]
    Parts parts(Module model, Map<String, Layer> targets);

    /// Returns the class of the layers that the method can be attached to.
    default Class<? extends Layer> layerType() {
        return Linear.class;
    }

    /// Returns further layers that the method has to be on as well, by path, such as a head that is
    /// tied to a target; none unless a method says so.
    default Map<String, Layer> companions(Module model, Map<String, Layer> targets) {
        return Map.of();
    }

    /// Returns what stands in PEFT's files before the names of shared parameters.
    default String sharedPrefix() {
        return "base_model.";
    }

    /// Returns what of the shared parameters is written to files, by name.
    default Map<String, Tensor> savedShared(Module shared) {
        return shared.stateDict();
    }

    /// Returns the layers that the method goes on where files do not name them all, because they have
    /// no parameters of their own; null for methods whose files name layers.
    default @Nullable PathPattern usualTargets() {
        return null;
    }

    /// Attaches the method to every layer whose path matches, and freezes everything else.
    ///
    /// @param pattern a path pattern; only linear layers (or what [#layerType] says) are taken
    /// @throws io.github.panagrad.engine.ground.PanagradException if nothing matches, or a layer has
    ///     an adapter of this name already
    default Adapter attach(Module model, String pattern) {
        return attach(model, PathPattern.of(pattern));
    }

    /// Attaches the method to every layer whose path matches, and freezes everything else.
    default Adapter attach(Module model, PathPattern pattern) {
        return attach(model, pattern, Adapter.DEFAULT_NAME);
    }

    /// Attaches the method under a name, so that a model can have several adapters.
    default Adapter attach(Module model, PathPattern pattern, String name) {
        return Adapter.attach(this, model, Map.copyOf(model.layers(pattern, layerType())), name);
    }

    /// What a method puts on a model.
    ///
    /// @param layers a part for each target, by its path
    /// @param shared parameters that belong to no layer by itself, or null
    record Parts(Map<String, LayerAdapter> layers, @Nullable Module shared) {
        /// Keeps the order of the layers.
        public Parts {
            layers = Collections.unmodifiableMap(new LinkedHashMap<>(layers));
        }

        /// Creates parts that share nothing.
        public Parts(Map<String, LayerAdapter> layers) {
            this(layers, null);
        }

        /// Makes a part for each of some linear layers; they share nothing.
        static Parts ofLinear(Map<String, Layer> targets, Function<Linear, LayerAdapter> maker) {
            var layers = new LinkedHashMap<String, LayerAdapter>();
            targets.forEach((path, layer) -> layers.put(path, maker.apply((Linear) layer)));
            return new Parts(layers);
        }
    }
}
