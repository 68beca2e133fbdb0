package io.github.panagrad.adapters;

import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.adapters.delta.DenseDelta;
import io.github.panagrad.adapters.delta.TensorDelta;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Attachment;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Interceptor;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.layers.Linear;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
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
    private final MergedWeights merged = new MergedWeights();
    private final Map<String, Module> whole = new LinkedHashMap<>();
    private volatile Installed installed;
    private volatile boolean enabled = true;
    private volatile double strength = 1;
    private volatile Map<String, Double> layerStrengths = Map.of();

    /// A method and its parts, exchanged as a whole.
    private record Installed(AdapterMethod method, AdapterMethod.Parts parts) {}

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
        Map<String, Layer> ordered = inOrder(method, model, targets);
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

    /// Returns targets and their companions in the model's order.
    private static Map<String, Layer> inOrder(
            AdapterMethod method, Module model, Map<String, ? extends Layer> targets) {
        var all = new HashMap<String, Layer>(targets);
        all.putAll(method.companions(model, Map.copyOf(targets)));
        var ordered = new LinkedHashMap<String, Layer>();
        model.modules()
                .forEach((path, module) -> {
                    if (all.containsKey(path) && module instanceof Layer layer) {
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
                    interceptors.computeIfAbsent(path, p -> layer.intercept(new At(p)));
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
        Adapter adapter = attach(content.method(), model, content.layers(), name, content::fill);
        content.fillWhole(model);
        content.whole().keySet().forEach(path -> adapter.trainWhole(path, model.module(path)));
        return adapter;
    }

    /// Trains modules of the model whole, beside the adapter, such as a new head; they are saved with
    /// it, as PEFT's `modules_to_save`.
    ///
    /// They learn in place: switching the adapter off or taking it off does not undo what they learnt.
    ///
    /// @throws PanagradException if nothing matches, or the adapter is on such a module or inside of it
    public Adapter trainWhole(PathPattern modules) {
        modules.select(model.modules()).forEach(this::trainWhole);
        return this;
    }

    private void trainWhole(String path, Module module) {
        for (String target : targets()) {
            if (target.equals(path) || target.startsWith(path + ".")) {
                throw new PanagradException(
                        "adapter " + name,
                        "a module cannot be trained whole and adapted, too",
                        path,
                        "modules without the adapter",
                        "leave it out of the adapter's targets");
            }
        }
        module.parameters().values().stream()
                .findFirst()
                .ifPresent(p -> module.to(p.dtype().widened()));
        module.unfreeze();
        whole.put(path, module);
    }

    /// Returns the modules that are trained whole, by path.
    public Map<String, Module> whole() {
        return Collections.unmodifiableMap(whole);
    }

    /// Puts the adapter in a folder in the place of this one, whatever its method and its layers, in
    /// one move: a layer's call sees all of the old one or all of the new one.
    ///
    /// @throws PanagradException if it cannot be read or does not fit; then nothing has changed
    public void replace(Path folder) {
        requireUnmerged("replace");
        PeftFiles.Content content = PeftFiles.read(model, folder);
        if (!content.whole().keySet().equals(whole.keySet())) {
            throw new PanagradException(
                    "adapter " + name,
                    "it cannot be replaced by one with other modules trained whole",
                    content.whole().keySet() + " in " + folder,
                    whole.keySet().toString(),
                    "detach this adapter and load the other");
        }
        Map<String, Layer> targets = inOrder(content.method(), model, content.layers());
        AdapterMethod.Parts parts = parts(content.method(), model, targets, content::fill);
        install(parts, targets);
        content.fillWhole(model);
        installed = new Installed(content.method(), parts);
    }

    /// Writes the adapter in PEFT's format, reads it back and compares every bit.
    ///
    /// @param folder created if it is not there
    /// @throws PanagradException if it cannot be written, or what was read back differs
    public void save(Path folder) {
        PeftFiles.save(this, folder);
    }

    /// The adapter around the layer at a path.
    private final class At implements Interceptor {
        private final String path;

        private At(String path) {
            this.path = path;
        }

        @Override
        public Tensor around(Layer layer, Tensor x, Context context, Inner inner) {
            return Adapter.this.around(path, layer, x, context, inner);
        }

        @Override
        public @Nullable Tensor weight(Tensor weight) {
            LayerAdapter part = installed.parts().layers().get(path);
            double by = strengthAt(path);
            if (part == null || !enabled || !merged.isEmpty() || by == 0) {
                return weight;
            }
            Tensor changed = part.effectiveWeight(weight);
            return changed == null ? null : MergedWeights.blend(weight, changed, by);
        }
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
                    (some, at) -> part.forward(layer, some, at, new WithinRows(inner, at)),
                    inner::apply);
        }
        double by = strengthAt(path);
        if (!enabled || !merged.isEmpty() || by == 0) {
            return inner.apply(x);
        }
        if (by == 1) {
            return part.forward(layer, x, context, inner);
        }
        Tensor plain = inner.apply(x);
        Tensor adapted = part.forward(layer, x, context, new KnownAnswer(inner, x, plain));
        return plain.add(adapted.sub(plain).mul(by));
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
        requireFinite(weight);
        strength = weight;
        return this;
    }

    /// Sets what the strength is multiplied by at single layers, by their paths; at all others, by 1.
    public Adapter layerStrengths(Map<String, Double> weights) {
        weights.forEach((path, weight) -> {
            requireFinite(weight);
            if (!parts().layers().containsKey(path)) {
                throw new PanagradException(
                        "adapter " + name, "it is not on this layer", path, "one of targets()", "");
            }
        });
        layerStrengths = Map.copyOf(weights);
        return this;
    }

    private void requireFinite(double weight) {
        if (!Double.isFinite(weight)) {
            throw new PanagradException(
                    "adapter " + name, "strength is not finite", "" + weight, "a number", "");
        }
    }

    private double strengthAt(String path) {
        return strength * layerStrengths.getOrDefault(path, 1.0);
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
    /// @throws PanagradException if a layer's weight cannot do what the adapter does, or is tied
    public void merge() {
        requireUnmerged("merge");
        try {
            parts().layers()
                    .keySet()
                    .forEach(path -> Ops.noGrad(() -> Ops.scope(() -> mergeInto(path))));
        } catch (RuntimeException e) {
            unmerge();
            throw e;
        }
    }

    private boolean mergeInto(String path) {
        if (!merged.add(model, path, parts().layers(), strengthAt(path))) {
            throw new PanagradException(
                    "adapter " + name,
                    method().peftType() + " cannot be merged into weights",
                    path,
                    "a method whose effect is a change of a weight",
                    "keep the adapter beside the model");
        }
        return true;
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
        merged.undo();
    }

    private void requireUnmerged(String what) {
        if (!merged.isEmpty()) {
            throw new PanagradException(
                    "adapter " + name, "it is merged already", what, "", "call unmerge() first");
        }
    }

    /// Returns the change of weights that does its work, with its strength, without merging: low-rank
    /// where the method is.
    ///
    /// @throws PanagradException if no change of weights does what the adapter does
    public Delta delta() {
        requireUnmerged("delta");
        var changes = new LinkedHashMap<String, TensorDelta>();
        parts().layers()
                .forEach((path, part) ->
                        Ops.noGrad(() -> Ops.scope(() -> putChanges(path, part, changes))));
        return Delta.of(changes);
    }

    private boolean putChanges(String path, LayerAdapter part, Map<String, TensorDelta> changes) {
        Module layer = model.module(path);
        Parameter parameter = MergedWeights.weightOf(layer);
        boolean own = model.parameters().get(path + ".weight") == parameter;
        if (parameter != null && !own && MergedWeights.isDone(model, parameter, changes.keySet())) {
            return true;
        }
        Tensor weight = parameter == null ? null : parameter.detach();
        TensorDelta change =
                weight == null ? null : part.weightDelta(weight.to(weight.dtype().widened()));
        if (change == null || !own) {
            throw new PanagradException(
                    "adapter " + name,
                    method().peftType() + " is no change of this layer's weight",
                    path,
                    "a method whose effect is a change of a layer's own weight",
                    "");
        }
        double by = strengthAt(path);
        changes.put(path + ".weight", change.times(by));
        Parameter bias = layer instanceof Linear linear ? linear.bias() : null;
        if (bias != null) {
            Tensor before = bias.detach();
            Tensor after = part.mergedBias(before);
            if (after != before) {
                changes.put(path + ".bias", DenseDelta.of(after.sub(before)).times(by));
            }
        }
        return true;
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
        merged.forget();
        detach();
    }
}
