package io.github.panagrad.nn;

import io.github.panagrad.engine.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiFunction;

/// Reads or replaces what goes in and out of layers, chosen by path, without a change to the model.
///
/// ```java
/// try (var hidden = Taps.capture(model, "model.layers.*")) {
///     model.hidden(ids);
///     hidden.get("model.layers.3") …
/// }
/// ```
public final class Taps {
    private Taps() {}

    /// Sees a tensor that passes a layer.
    @FunctionalInterface
    public interface Reader {
        /// Called with the tensor; with recomputed activations it is called again in backward.
        void see(Layer layer, Tensor value, Context context);
    }

    /// Shows the input of every layer that the pattern matches.
    public static Attachment onInput(Module root, String pattern, Reader reader) {
        return onEach(
                root,
                pattern,
                (layer, x, context, inner) -> {
                    reader.see(layer, x, context);
                    return inner.apply(x);
                });
    }

    /// Shows the output of every layer that the pattern matches.
    public static Attachment onOutput(Module root, String pattern, Reader reader) {
        return onEach(
                root,
                pattern,
                (layer, x, context, inner) -> {
                    Tensor y = inner.apply(x);
                    reader.see(layer, y, context);
                    return y;
                });
    }

    /// Puts `f(x, context)` in place of the input x of every layer that the pattern matches.
    public static Attachment replaceInput(
            Module root, String pattern, BiFunction<Tensor, Context, Tensor> f) {
        return onEach(
                root, pattern, (layer, x, context, inner) -> inner.apply(f.apply(x, context)));
    }

    /// Puts `f(y, context)` in place of the output y of every layer that the pattern matches.
    public static Attachment replace(
            Module root, String pattern, BiFunction<Tensor, Context, Tensor> f) {
        return onEach(
                root, pattern, (layer, x, context, inner) -> f.apply(inner.apply(x), context));
    }

    /// Keeps the latest output of every layer that the pattern matches.
    public static Capture capture(Module root, String pattern) {
        return new Capture(root, pattern);
    }

    /// Attaches an interceptor to every layer that the pattern matches.
    ///
    /// @throws io.github.panagrad.engine.ground.PanagradException if there is none
    public static Attachment onEach(Module root, String pattern, Interceptor interceptor) {
        var attachments = new ArrayList<Attachment>();
        root.layers(PathPattern.of(pattern))
                .values()
                .forEach(layer -> attachments.add(layer.intercept(interceptor)));
        return Attachment.all(attachments);
    }

    /// The latest outputs of some layers. Closing it detaches it; what it holds stays readable.
    ///
    /// Gradients flow through what it holds, except where the model recomputes activations: there
    /// the history inside a layer is not kept.
    public static final class Capture implements Attachment {
        private final Map<Layer, Tensor> latest = new LinkedHashMap<>();
        private final Map<String, Layer> layers;
        private final Attachment attachment;

        private Capture(Module root, String pattern) {
            layers = root.layers(PathPattern.of(pattern));
            attachment =
                    onOutput(root, pattern, (layer, y, context) -> latest.put(layer, y.keep()));
        }

        /// Returns the latest output of a layer, with its history.
        ///
        /// @throws io.github.panagrad.engine.ground.PanagradException if the layer was not
        ///     captured, or not called since
        public Tensor get(String path) {
            Tensor found = latest.get(layers.get(path));
            if (found == null) {
                throw PathPattern.of(path).nothing(all().keySet());
            }
            return found;
        }

        /// Returns all outputs seen, by path, in the model's order.
        public Map<String, Tensor> all() {
            var seen = new LinkedHashMap<String, Tensor>();
            layers.forEach((path, layer) -> {
                Tensor y = latest.get(layer);
                if (y != null) {
                    seen.put(path, y);
                }
            });
            return seen;
        }

        /// Forgets what was seen.
        public void clear() {
            latest.clear();
        }

        @Override
        public void close() {
            attachment.close();
        }
    }
}
