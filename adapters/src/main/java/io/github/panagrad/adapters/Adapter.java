package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Attachment;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Interceptor;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.layers.Linear;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// An adapter on a model: trained, saved, switched on and off, merged, taken off.
///
/// A model can have several, under different names; those that are on work one after the other, the
/// last attached outermost, and [RowAdapters] gives each row of a batch its own.
public final class Adapter {
    /// The name of an adapter that was given none.
    public static final String DEFAULT_NAME = "adapter";

    private final String name;
    private final Module model;
    private final Map<String, Attachment> interceptors = new LinkedHashMap<>();
    private final List<Attachment> weights = new ArrayList<>();
    private final List<Merged> merged = new ArrayList<>();
    private volatile Installed installed;
    private volatile boolean enabled = true;
    private volatile double strength = 1;

    /// A method and its parts, exchanged as a whole.
    private record Installed(AdapterMethod method, AdapterMethod.Parts parts) {}

    /// A linear layer whose weight does the adapter's work, and what it was before.
    private record Merged(Linear layer, Tensor weight, @Nullable Tensor bias) {
        void undo() {
            put(layer.weight(), weight);
            Parameter b = layer.bias();
            if (b != null && bias != null) {
                put(b, bias);
            }
        }

        private static void put(Parameter parameter, Tensor before) {
            parameter.replace(before);
            parameter.trainable(false);
        }
    }

    private Adapter(String name, Module model, Installed installed) {
        this.name = name;
        this.model = model;
        this.installed = installed;
    }

    /// Makes a method's parts, attaches them and freezes everything else.
    ///
    /// @param targets layers by path; they are taken in the model's order
    static Adapter attach(
            AdapterMethod method, Module model, Map<String, ? extends Layer> targets, String name) {
        return attach(method, model, targets, name, parts -> {});
    }

    private static Adapter attach(
            AdapterMethod method,
            Module model,
            Map<String, ? extends Layer> targets,
            String name,
            Consumer<AdapterMethod.Parts> values) {
        if (!name.matches("[A-Za-z0-9_-]+")) {
            throw new PanagradException(
                    "adapter", "not a name", "'" + name + "'", "letters, digits, _ and -", "");
        }
        Map<String, Layer> ordered = inOrder(model, targets);
        AdapterMethod.Parts parts = parts(method, model, ordered, values);
        var adapter = new Adapter(name, model, new Installed(method, parts));
        try {
            adapter.install(parts, ordered);
        } catch (RuntimeException e) {
            adapter.detach();
            throw e;
        }
        var own = Set.copyOf(adapter.parameters().values());
        model.parameters().values().stream()
                .filter(p -> !own.contains(p))
                .forEach(p -> p.trainable(false));
        return adapter;
    }

    private static Map<String, Layer> inOrder(Module model, Map<String, ? extends Layer> targets) {
        var ordered = new LinkedHashMap<String, Layer>();
        model.modules()
                .forEach((path, module) -> {
                    if (targets.containsKey(path) && module instanceof Layer layer) {
                        ordered.put(path, layer);
                    }
                });
        return ordered;
    }

    private static AdapterMethod.Parts parts(
            AdapterMethod method,
            Module model,
            Map<String, Layer> targets,
            Consumer<AdapterMethod.Parts> values) {
        AdapterMethod.Parts parts = method.parts(model, targets);
        parts.layers().forEach((path, part) -> follow(part, targets.get(path)));
        if (parts.shared() != null) {
            follow(parts.shared(), model);
        }
        values.accept(parts);
        return parts;
    }

    /// Gives new parameters the device of those that they work beside, and a dtype to compute in.
    private static void follow(Module part, @Nullable Module beside) {
        if (beside != null) {
            beside.parameters().values().stream()
                    .findFirst()
                    .ifPresent(p -> {
                        part.to(p.dtype().widened());
                        part.to(p.device());
                    });
        }
    }

    private void install(AdapterMethod.Parts parts, Map<String, Layer> targets) {
        weights.reversed().forEach(Attachment::close);
        weights.clear();
        if (parts.shared() != null) {
            weights.add(model.attach(name, parts.shared()));
        }
        parts.layers()
                .forEach((path, part) -> {
                    Layer layer = targets.get(path);
                    if (layer == null) {
                        throw new IllegalStateException(
                                "a part for " + path + ", which was not asked for");
                    }
                    weights.add(layer.attach(name, part));
                    interceptors.computeIfAbsent(
                            path,
                            p ->
                                    layer.intercept(
                                            (l, x, context, in) -> around(p, l, x, context, in)));
                });
    }

    /// Reads an adapter in PEFT's format and attaches it under the default name; the rest of the
    /// model is frozen.
    ///
    /// @param folder with `adapter_config.json` and `adapter_model.safetensors`
    /// @throws PanagradException if a file is missing or broken, is of a method that is not known, or
    ///     does not fit the model
    public static Adapter load(Module model, Path folder) {
        return load(model, folder, DEFAULT_NAME);
    }

    /// Reads an adapter in PEFT's format and attaches it under a name.
    public static Adapter load(Module model, Path folder, String name) {
        PeftFiles.Content content = PeftFiles.read(model, folder);
        return attach(content.method(), model, content.layers(), name, content::fill);
    }

    /// Puts the adapter in a folder in the place of this one, whatever its method and its layers, in
    /// one move: a layer's call sees all of the old one or all of the new one.
    ///
    /// @throws PanagradException if it cannot be read or does not fit; then nothing has changed
    public void replace(Path folder) {
        requireUnmerged("replace");
        PeftFiles.Content content = PeftFiles.read(model, folder);
        Map<String, Layer> targets = inOrder(model, content.layers());
        AdapterMethod.Parts parts = parts(content.method(), model, targets, content::fill);
        install(parts, targets);
        installed = new Installed(content.method(), parts);
    }

    /// Writes the adapter in PEFT's format, reads it back and compares every bit.
    ///
    /// @param folder created if it is not there
    /// @throws PanagradException if it cannot be written, or what was read back differs
    public void save(Path folder) {
        PeftFiles.save(this, folder);
    }

    private Tensor around(
            String path, Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
        LayerAdapter part = installed.parts().layers().get(path);
        if (part == null) {
            return inner.apply(x);
        }
        RowAdapters rows = context.find(RowAdapters.KEY);
        if (rows != null) {
            requireUnmerged("rows with adapters of their own");
            return rows.split(
                    name,
                    x,
                    context,
                    (some, at) -> part.forward(layer, some, at, new At(inner, at)),
                    inner::apply);
        }
        double by = strength;
        if (!enabled || !merged.isEmpty() || by == 0) {
            return inner.apply(x);
        }
        if (by == 1) {
            return part.forward(layer, x, context, inner);
        }
        Tensor plain = inner.apply(x);
        Tensor adapted = part.forward(layer, x, context, new Known(inner, x, plain));
        return plain.add(adapted.sub(plain).mul(by));
    }

    /// What lies within, called with the context of some rows.
    private record At(Interceptor.Inner inner, Context context) implements Interceptor.Inner {
        @Override
        public Tensor apply(Tensor x) {
            return inner.apply(x, context);
        }

        @Override
        public Tensor apply(Tensor x, Context other) {
            return inner.apply(x, other);
        }
    }

    /// What lies within, with one answer known already.
    private record Known(Interceptor.Inner inner, Tensor x, Tensor y) implements Interceptor.Inner {
        @Override
        public Tensor apply(Tensor in) {
            return in == x ? y : inner.apply(in);
        }

        @Override
        public Tensor apply(Tensor in, Context other) {
            return inner.apply(in, other);
        }
    }

    // Looking at it

    /// Returns the name under which it is attached.
    public String name() {
        return name;
    }

    /// Returns the model it is attached to.
    public Module model() {
        return model;
    }

    /// Returns the method with its settings.
    public AdapterMethod method() {
        return installed.method();
    }

    /// Returns the paths of the layers it is on, in the model's order.
    public List<String> targets() {
        return List.copyOf(parts().layers().keySet());
    }

    /// Returns what the method put on the model.
    public AdapterMethod.Parts parts() {
        return installed.parts();
    }

    /// Returns its parameters by path, those that are not trained too.
    public Map<String, Parameter> parameters() {
        var all = new LinkedHashMap<String, Parameter>();
        AdapterMethod.Parts parts = parts();
        if (parts.shared() != null) {
            parts.shared().parameters().forEach((local, p) -> all.put(name + "." + local, p));
        }
        parts.layers()
                .forEach((path, part) ->
                        part.parameters()
                                .forEach(
                                        (local, p) -> all.put(path + "." + name + "." + local, p)));
        return all;
    }

    // Switching

    /// Switches it on or off, at once and for all threads; off, the model is what it was before.
    public Adapter enabled(boolean on) {
        enabled = on;
        return this;
    }

    /// Tells whether it is switched on.
    public boolean isEnabled() {
        return enabled;
    }

    /// Sets how much of its effect on each layer's output counts: 1 is all, 0 is none. Adapters that
    /// are on together with weights of their own are a weighted combination.
    public Adapter strength(double weight) {
        if (!Double.isFinite(weight)) {
            throw new PanagradException(
                    "adapter " + name, "strength is not finite", "" + weight, "a number", "");
        }
        strength = weight;
        return this;
    }

    /// Returns how much of its effect counts.
    public double strength() {
        return strength;
    }

    // Merging

    /// Puts its work into the weights of the layers, in F32, and switches it off meanwhile.
    ///
    /// Adapters that are attached together are merged in the order of attaching.
    ///
    /// @throws PanagradException if a layer's weight cannot do what the adapter does
    public void merge() {
        requireUnmerged("merge");
        try {
            parts().layers()
                    .forEach((path, part) ->
                            merged.add(Ops.noGrad(() -> Ops.scope(() -> mergeInto(path, part)))));
        } catch (RuntimeException e) {
            unmerge();
            throw e;
        }
    }

    private Merged mergeInto(String path, LayerAdapter part) {
        Module layer = model.module(path);
        Linear linear = layer instanceof Linear l ? l : null;
        Tensor before = linear == null ? null : linear.weight().detach();
        Tensor after =
                before == null ? null : part.mergedWeight(before.to(before.dtype().widened()));
        if (linear == null || before == null || after == null) {
            throw new PanagradException(
                    "adapter " + name,
                    method().peftType() + " cannot be merged into weights",
                    path,
                    "a method whose effect is a change of a linear layer's weight",
                    "keep the adapter beside the model");
        }
        Parameter bias = linear.bias();
        Tensor biasBefore = bias == null ? null : bias.detach();
        linear.weight().replace(blend(before, after).keep());
        if (bias != null && biasBefore != null) {
            bias.replace(blend(biasBefore, part.mergedBias(biasBefore)).keep());
        }
        return new Merged(linear, before.keep(), biasBefore == null ? null : biasBefore.keep());
    }

    private Tensor blend(Tensor before, Tensor after) {
        if (strength == 1) {
            return after;
        }
        Tensor wide = before.to(after.dtype());
        return wide.add(after.sub(wide).mul(strength));
    }

    /// Merges, and reports how far that moved the model.
    ///
    /// @param logits computes logits on some input, out of training mode
    /// @return the largest absolute difference of a logit
    public double merge(Supplier<Tensor> logits) {
        double[] before = Ops.noGrad(() -> Ops.scope(() -> logits.get().toDoubles()));
        merge();
        double[] after = Ops.noGrad(() -> Ops.scope(() -> logits.get().toDoubles()));
        double largest = 0;
        for (int i = 0; i < before.length; i++) {
            largest = Math.max(largest, Math.abs(before[i] - after[i]));
        }
        return largest;
    }

    /// Undoes [#merge]: the weights get their old bits and dtype back.
    public void unmerge() {
        merged.reversed().forEach(Merged::undo);
        merged.clear();
    }

    private void requireUnmerged(String what) {
        if (!merged.isEmpty()) {
            throw new PanagradException(
                    "adapter " + name, "it is merged already", what, "", "call unmerge() first");
        }
    }

    // Taking it off

    /// Takes the adapter off; the model is what it was before, still frozen.
    public void detach() {
        unmerge();
        interceptors.values().forEach(Attachment::close);
        interceptors.clear();
        weights.reversed().forEach(Attachment::close);
        weights.clear();
    }

    /// Merges for good and takes the adapter off, so that the model can be saved as a whole.
    public void mergeAndDetach() {
        if (merged.isEmpty()) {
            merge();
        }
        merged.clear();
        detach();
    }
}
