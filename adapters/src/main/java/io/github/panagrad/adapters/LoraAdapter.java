package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Module;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// A LoRA adapter on a model: trained, saved, merged, taken off.
public final class LoraAdapter {
    private final Module model;
    private final Lora options;
    private final Map<String, LoraDetour> detours;

    LoraAdapter(Module model, Lora options, Map<String, LoraDetour> detours) {
        this.model = model;
        this.options = options;
        this.detours = detours;
    }

    /// Reads an adapter in PEFT's format and attaches it; the rest of the model is frozen.
    ///
    /// @param folder with `adapter_config.json` and `adapter_model.safetensors`
    /// @throws io.github.panagrad.engine.ground.PanagradException if a file is missing or broken,
    ///     is of another method, or does not fit the model
    public static LoraAdapter load(Module model, Path folder) {
        return PeftLora.load(model, folder);
    }

    /// Writes the adapter in PEFT's format, reads it back and compares every bit.
    ///
    /// @param folder created if it is not there
    /// @throws io.github.panagrad.engine.ground.PanagradException if it cannot be written, or what
    ///     was read back differs
    public void save(Path folder) {
        PeftLora.save(this, folder);
    }

    /// Returns the settings it was made with.
    public Lora options() {
        return options;
    }

    /// Returns the model it is attached to.
    public Module model() {
        return model;
    }

    /// Returns the paths of the layers it is on.
    public List<String> targets() {
        return List.copyOf(detours.keySet());
    }

    /// Returns the trainable parameters, by path.
    public Map<String, Parameter> parameters() {
        var all = new LinkedHashMap<String, Parameter>();
        detours.forEach((path, detour) -> {
            all.put(path + "." + LoraDetour.A + ".weight", detour.a());
            all.put(path + "." + LoraDetour.B + ".weight", detour.b());
        });
        return all;
    }

    Map<String, LoraDetour> detours() {
        return detours;
    }

    /// Merges the detours into the weights, in F32.
    public void merge() {
        detours.values().forEach(LoraDetour::merge);
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
        detours.values().forEach(LoraDetour::unmerge);
    }

    /// Takes the adapter off; the model is what it was before, still frozen.
    public void detach() {
        detours.values().forEach(LoraDetour::detach);
    }

    /// Merges for good and takes the adapter off, so that the model can be saved as a whole.
    public void mergeAndDetach() {
        merge();
        detours.values().forEach(LoraDetour::forget);
    }
}
