package io.github.panagrad.adapters;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Module;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Several adapters on one model, of which one, a weighted combination, or another one for each row
/// of a batch is in use.
///
/// ```java
/// var adapters = new AdapterSet(model);
/// adapters.load("french", frenchFolder);
/// adapters.load("pirate", pirateFolder);
/// adapters.use("french");
/// adapters.use(Map.of("french", 0.7, "pirate", 0.3));
/// model.hidden(ids, null, adapters.rows("french", "", "pirate"));
/// ```
///
/// Adapters may be exchanged while other threads run the model: a forward pass that has begun may
/// see the old one in its first layers and the new one in its last.
public final class AdapterSet {
    private final Module model;
    private final Map<String, Adapter> adapters = new LinkedHashMap<>();

    /// Creates a set for a model, empty.
    public AdapterSet(Module model) {
        this.model = model;
    }

    /// Adds an adapter that is attached to the model, switched off.
    ///
    /// @throws PanagradException if it is another model's, or its name is taken
    public synchronized Adapter add(Adapter adapter) {
        if (adapter.model() != model || adapters.containsKey(adapter.name())) {
            throw new PanagradException(
                    "adapters",
                    adapter.model() == model ? "the name is taken" : "of another model",
                    adapter.name(),
                    "an adapter of this model, of another name than " + adapters.keySet(),
                    "");
        }
        adapters.put(adapter.name(), adapter.enabled(false));
        return adapter;
    }

    /// Reads an adapter in PEFT's format and adds it, switched off.
    public synchronized Adapter load(String name, Path folder) {
        return add(Adapter.load(model, folder, name));
    }

    /// Takes an adapter off the model.
    public synchronized void remove(String name) {
        get(name).detach();
        adapters.remove(name);
    }

    /// Returns an adapter.
    ///
    /// @throws PanagradException if there is none of this name
    public synchronized Adapter get(String name) {
        Adapter adapter = adapters.get(name);
        if (adapter == null) {
            throw new PanagradException(
                    "adapters", "no such adapter", name, "one of " + adapters.keySet(), "");
        }
        return adapter;
    }

    /// Returns the names, in the order of adding.
    public synchronized List<String> names() {
        return List.copyOf(adapters.keySet());
    }

    /// Switches one adapter on and all others off.
    public void use(String name) {
        use(Map.of(name, 1.0));
    }

    /// Switches some adapters on, with these strengths, and all others off. For additive methods such
    /// as LoRA the model then computes the weighted sum of their effects.
    public synchronized void use(Map<String, Double> strengths) {
        strengths.keySet().forEach(this::get);
        adapters.forEach((name, adapter) -> {
            Double strength = strengths.get(name);
            if (strength != null) {
                adapter.strength(strength);
            }
            adapter.enabled(strength != null);
        });
    }

    /// Switches all adapters off.
    public void useNone() {
        use(Map.of());
    }

    /// Returns a context that sends each row of a batch through its own adapter.
    ///
    /// @param names the adapter of each row, or an empty string for none
    public Context rows(String... names) {
        for (String name : names) {
            if (!name.isEmpty()) {
                get(name);
            }
        }
        return RowAdapters.of(names).in(Context.EMPTY);
    }
}
