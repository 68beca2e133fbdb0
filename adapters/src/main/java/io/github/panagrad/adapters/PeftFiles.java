package io.github.panagrad.adapters;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.TensorFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Adapters in the format of Hugging Face's PEFT: `adapter_config.json` and
/// `adapter_model.safetensors`, whose names are the model's paths behind `base_model.model.`.
final class PeftFiles {
    private static final String CONFIG = "adapter_config.json";
    private static final String WEIGHTS = "adapter_model.safetensors";
    private static final String WHOLE = "modules_to_save";
    private static final String MODEL = "base_model.model.";

    private PeftFiles() {}

    static void save(Adapter adapter, Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new PanagradException(
                    "save adapter to " + folder + ": cannot create it, " + e, e);
        }
        var tensors = new TreeMap<String, Tensor>();
        AdapterMethod.Parts parts = adapter.parts();
        if (parts.shared() != null) {
            String prefix = adapter.method().sharedPrefix();
            adapter.method()
                    .savedShared(parts.shared())
                    .forEach((local, t) -> tensors.put(prefix + local, t));
        }
        parts.layers()
                .forEach((path, part) ->
                        part.saved()
                                .forEach((local, t) -> tensors.put(MODEL + path + "." + local, t)));
        adapter.whole()
                .forEach((path, module) ->
                        module.stateDict()
                                .forEach((local, t) -> tensors.put(MODEL + path + "." + local, t)));
        TensorFiles.write(folder.resolve(WEIGHTS), tensors, Map.of("format", "pt"));
        config(adapter).write(folder.resolve(CONFIG));
        compare(tensors, folder.resolve(WEIGHTS));
    }

    private static JsonObject config(Adapter adapter) {
        JsonObject config =
                JsonObject.of(
                        "peft_type",
                        adapter.method().peftType(),
                        "task_type",
                        classifies(adapter) ? "SEQ_CLS" : "CAUSAL_LM",
                        "base_model_name_or_path",
                        null,
                        "target_modules",
                        adapter.method().usualTargets() == null ? targetModules(adapter) : null,
                        WHOLE,
                        adapter.whole().isEmpty() ? null : List.copyOf(adapter.whole().keySet()),
                        "inference_mode",
                        true);
        for (var field : adapter.method().config(adapter.parts()).asMap().entrySet()) {
            config = config.with(field.getKey(), field.getValue());
        }
        return config;
    }

    /// Tells whether a head is trained that PEFT takes for a classifier's.
    private static boolean classifies(Adapter adapter) {
        return adapter.whole().keySet().stream()
                .map(PeftFiles::lastSegment)
                .anyMatch(Set.of("classifier", "score")::contains);
    }

    /// Returns the last segments of the targets where these name exactly them, else their full
    /// paths: PEFT matches from the end.
    private static List<String> targetModules(Adapter adapter) {
        var last = new TreeSet<String>();
        adapter.targets().forEach(path -> last.add(lastSegment(path)));
        long named =
                adapter.model().modules().entrySet().stream()
                        .filter(e -> adapter.method().layerType().isInstance(e.getValue()))
                        .filter(e -> last.contains(lastSegment(e.getKey())))
                        .count();
        return named == adapter.targets().size() ? List.copyOf(last) : adapter.targets();
    }

    private static String lastSegment(String path) {
        return path.substring(path.lastIndexOf('.') + 1);
    }

    private static void compare(Map<String, Tensor> written, Path file) {
        Map<String, Tensor> read = TensorFiles.read(file);
        written.forEach((name, tensor) -> {
            Tensor back = read.get(name);
            if (back == null || !Arrays.equals(back.toDoubles(), tensor.toDoubles())) {
                throw new PanagradException(
                        "save adapter to " + file,
                        "what was read back differs",
                        name,
                        "the bits that were written",
                        "check the disk, then save again");
            }
        });
    }

    /// What a folder holds: a method, the layers it is for, and the values of its parts.
    record Content(
            Path folder,
            AdapterMethod method,
            Map<String, Layer> layers,
            Map<String, Map<String, Tensor>> values,
            Map<String, Tensor> shared,
            Map<String, Map<String, Tensor>> whole) {
        /// Copies the values of modules that are trained whole into the model.
        void fillWhole(Module model) {
            whole.forEach((path, state) -> model.module(path).load(state));
        }

        /// Copies the values into parts.
        void fill(AdapterMethod.Parts parts) {
            parts.layers()
                    .forEach((path, part) -> {
                        try {
                            part.restore(values.getOrDefault(path, Map.of()));
                        } catch (PanagradException e) {
                            throw new PanagradException(
                                    "adapter "
                                            + folder
                                            + " at layer "
                                            + path
                                            + ": "
                                            + e.getMessage(),
                                    e);
                        }
                    });
            if (parts.shared() != null) {
                parts.shared().load(shared);
            } else if (!shared.isEmpty()) {
                throw new PanagradException(
                        "adapter " + folder,
                        "tensors that belong to nothing",
                        shared.keySet().iterator().next(),
                        "names that begin with " + MODEL,
                        "");
            }
        }
    }

    /// Reads a folder for a model.
    static Content read(Module model, Path folder) {
        JsonObject config = JsonObject.read(folder.resolve(CONFIG));
        AdapterMethod method = PeftMethods.read(config);
        Map<String, Map<String, Tensor>> whole = wholeModules(model, config);
        var layers = new LinkedHashMap<String, Layer>();
        var states = new LinkedHashMap<String, Map<String, Tensor>>();
        var shared = new LinkedHashMap<String, Tensor>();
        var strangers = new ArrayList<String>();
        Map<String, Module> modules = model.modules();
        TensorFiles.read(folder.resolve(WEIGHTS))
                .forEach((key, tensor) -> {
                    String path = key.startsWith(MODEL) ? key.substring(MODEL.length()) : key;
                    String trained = owner(path, whole.keySet()::contains);
                    Map<String, Tensor> own = trained == null ? null : whole.get(trained);
                    String owner = owner(path, p -> method.layerType().isInstance(modules.get(p)));
                    if (trained != null && own != null) {
                        own.put(path.substring(trained.length() + 1), tensor);
                    } else if (owner != null && modules.get(owner) instanceof Layer layer) {
                        layers.put(owner, layer);
                        states.computeIfAbsent(owner, o -> new LinkedHashMap<>())
                                .put(path.substring(owner.length() + 1), tensor);
                    } else if (!key.startsWith(MODEL)) {
                        String prefix = method.sharedPrefix();
                        boolean has = key.startsWith(prefix);
                        shared.put(has ? key.substring(prefix.length()) : key, tensor);
                    } else {
                        strangers.add(path);
                    }
                });
        PathPattern usual = method.usualTargets();
        if (usual != null) {
            layers.putAll(model.layers(usual, method.layerType()));
        }
        if (!strangers.isEmpty() || layers.isEmpty()) {
            throw new PanagradException(
                    "adapter " + folder,
                    "the model has no layers for it",
                    strangers.isEmpty()
                            ? "an empty file"
                            : String.join(
                                    ", ", strangers.subList(0, Math.min(3, strangers.size()))),
                    method.layerType().getSimpleName()
                            + " layers, such as "
                            + example(modules, method.layerType()),
                    "was it trained on another architecture?");
        }
        return new Content(folder, method, layers, states, shared, whole);
    }

    /// Returns the modules that a config says are trained whole, by path, still without values: PEFT
    /// names them by the last segments of their paths.
    private static Map<String, Map<String, Tensor>> wholeModules(Module model, JsonObject config) {
        var whole = new LinkedHashMap<String, Map<String, Tensor>>();
        List<String> names = config.get(WHOLE) == null ? List.of() : config.strings(WHOLE);
        for (String name : names) {
            List<String> paths =
                    model.modules().keySet().stream()
                            .filter(path -> path.equals(name) || path.endsWith("." + name))
                            .toList();
            if (paths.isEmpty()) {
                throw config.error(WHOLE, "the model has no module " + name, "its modules", "");
            }
            paths.forEach(path -> whole.put(path, new LinkedHashMap<>()));
        }
        return whole;
    }

    /// Returns the longest path that a name begins with and that is wanted.
    private static @Nullable String owner(String name, Predicate<String> wanted) {
        for (int dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
            String path = name.substring(0, dot);
            if (wanted.test(path)) {
                return path;
            }
        }
        return null;
    }

    private static String example(Map<String, Module> modules, Class<? extends Layer> type) {
        return modules.entrySet().stream()
                .filter(e -> type.isInstance(e.getValue()))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse("none");
    }

    /// Returns a whole number as such, as PEFT writes them.
    static Object number(double value) {
        return value == Math.rint(value) ? (Object) (long) value : (Object) value;
    }

    /// Checks that a field, if it is there, is an empty object.
    static void requireEmpty(JsonObject config, String field) {
        if (config.get(field) != null && !config.object(field).names().isEmpty()) {
            throw config.error(field, "settings of single layers are not supported", "{}", "");
        }
    }

    /// Checks that a field, if it is there, says none.
    static void requireNone(JsonObject config, String field, String otherwise) {
        if (!config.string(field, "none").equals("none")) {
            throw config.error(field, otherwise, "none", "");
        }
    }
}
