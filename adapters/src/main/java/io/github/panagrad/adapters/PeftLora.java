package io.github.panagrad.adapters;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.TensorFiles;
import io.github.panagrad.nn.layers.Linear;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;

/// LoRA adapters in the format of Hugging Face's PEFT: `adapter_config.json` and
/// `adapter_model.safetensors`, whose names are the model's paths behind `base_model.model.`.
final class PeftLora {
    private static final String CONFIG = "adapter_config.json";
    private static final String WEIGHTS = "adapter_model.safetensors";
    private static final String PREFIX = "base_model.model.";

    private PeftLora() {}

    static void save(LoraAdapter adapter, Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new PanagradException(
                    "save adapter to " + folder + ": cannot create it, " + e, e);
        }
        var tensors = new TreeMap<String, Tensor>();
        adapter.parameters().forEach((path, p) -> tensors.put(PREFIX + path, p.detach()));
        TensorFiles.write(folder.resolve(WEIGHTS), tensors, Map.of("format", "pt"));
        config(adapter).write(folder.resolve(CONFIG));
        compare(tensors, folder.resolve(WEIGHTS));
    }

    private static JsonObject config(LoraAdapter adapter) {
        Lora options = adapter.options();
        double alpha = options.alpha();
        return JsonObject.of(
                "peft_type",
                "LORA",
                "task_type",
                "CAUSAL_LM",
                "base_model_name_or_path",
                null,
                "r",
                options.rank(),
                "lora_alpha",
                alpha == Math.rint(alpha) ? (Object) (long) alpha : (Object) alpha,
                "lora_dropout",
                options.dropout(),
                "target_modules",
                targetModules(adapter),
                "bias",
                "none",
                "fan_in_fan_out",
                false,
                "init_lora_weights",
                true,
                "use_rslora",
                false,
                "use_dora",
                false,
                "modules_to_save",
                null,
                "rank_pattern",
                Map.of(),
                "alpha_pattern",
                Map.of(),
                "inference_mode",
                true);
    }

    /// Returns the last segments of the targets where these name exactly them, else their full
    /// paths: PEFT matches from the end.
    private static List<String> targetModules(LoraAdapter adapter) {
        var last = new TreeSet<String>();
        adapter.targets().forEach(path -> last.add(lastSegment(path)));
        long named =
                adapter.model().modules().entrySet().stream()
                        .filter(e -> e.getValue() instanceof Linear)
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

    static LoraAdapter load(Module model, Path folder) {
        JsonObject config = JsonObject.read(folder.resolve(CONFIG));
        requireSupported(config);
        Map<String, Tensor> tensors = TensorFiles.read(folder.resolve(WEIGHTS));
        Map<String, Tensor> downs = factors(tensors, LoraDetour.A, folder);
        Map<String, Tensor> ups = factors(tensors, LoraDetour.B, folder);
        if (!downs.keySet().equals(ups.keySet()) || downs.isEmpty()) {
            throw new PanagradException(
                    "adapter " + folder,
                    "factors do not pair up",
                    downs.size() + " lora_A and " + ups.size() + " lora_B",
                    "one of each for every layer",
                    "is the file complete?");
        }
        checkFit(model, folder, downs, ups);
        model.freeze();
        var detours = new LinkedHashMap<String, LoraDetour>();
        Rng rng = Rng.of(0);
        var rest = new TreeMap<>(downs);
        model.modules()
                .forEach((path, module) -> {
                    Tensor down = rest.remove(path);
                    if (down != null && module instanceof Linear linear) {
                        Lora options = options(config, path, down.dim(0));
                        var detour = LoraDetour.attach(options, linear, rng);
                        detour.a().assign(down);
                        detour.b().assign(Objects.requireNonNull(ups.get(path)));
                        detours.put(path, detour);
                    }
                });
        return new LoraAdapter(model, detours.values().iterator().next().options(), detours);
    }

    private static void requireSupported(JsonObject config) {
        String type = config.string("peft_type", "LORA");
        if (!type.equals("LORA")) {
            throw config.error("peft_type", "not a LoRA adapter: " + type, "LORA", "");
        }
        if (config.bool("use_dora", false)) {
            throw config.error("use_dora", "DoRA is not supported", "false", "");
        }
        if (!config.string("bias", "none").equals("none")) {
            throw config.error("bias", "trained biases are not supported", "none", "");
        }
    }

    private static Map<String, Tensor> factors(
            Map<String, Tensor> tensors, String factor, Path folder) {
        String suffix = "." + factor + ".weight";
        var found = new LinkedHashMap<String, Tensor>();
        var unknown = new ArrayList<String>();
        tensors.forEach((name, tensor) -> {
            if (name.endsWith(suffix)) {
                String path = name.substring(0, name.length() - suffix.length());
                found.put(path.startsWith(PREFIX) ? path.substring(PREFIX.length()) : path, tensor);
            } else if (!name.endsWith(".weight") || !name.contains(".lora_")) {
                unknown.add(name);
            }
        });
        if (!unknown.isEmpty()) {
            throw new PanagradException(
                    "adapter " + folder,
                    "tensors that are no LoRA factors",
                    String.join(", ", unknown.subList(0, Math.min(3, unknown.size()))),
                    "names that end in .lora_A.weight or .lora_B.weight",
                    "");
        }
        return found;
    }

    private static void checkFit(
            Module model, Path folder, Map<String, Tensor> downs, Map<String, Tensor> ups) {
        Map<String, Module> modules = model.modules();
        downs.forEach((path, down) -> {
            Tensor up = Objects.requireNonNull(ups.get(path));
            if (!(modules.get(path) instanceof Linear linear)) {
                throw new PanagradException(
                        "adapter " + folder,
                        "the model has no linear layer " + path,
                        "",
                        "an adapter trained on this architecture",
                        "");
            }
            boolean fits =
                    down.rank() == 2
                            && up.rank() == 2
                            && down.dim(1) == linear.in()
                            && up.dim(0) == linear.out()
                            && down.dim(0) == up.dim(1);
            if (!fits) {
                throw new PanagradException(
                        "adapter " + folder,
                        "factors of " + path + " do not fit",
                        "A " + down.shape() + ", B " + up.shape(),
                        "A [r," + linear.in() + "], B [" + linear.out() + ",r]",
                        "was it trained on another model?");
            }
        });
    }

    private static Lora options(JsonObject config, String path, int rank) {
        double alpha = patterned(config, "alpha_pattern", path, config.number("lora_alpha", rank));
        double scaled = config.bool("use_rslora", false) ? alpha * Math.sqrt(rank) : alpha;
        return new Lora(rank, scaled, config.number("lora_dropout", 0), 0);
    }

    /// Returns the value of the first pattern that matches the end of the path, as PEFT does.
    private static double patterned(JsonObject config, String field, String path, double fallback) {
        if (config.get(field) == null) {
            return fallback;
        }
        JsonObject patterns = config.object(field);
        for (String pattern : patterns.names()) {
            if (path.matches("(?:.*\\.)?(?:" + pattern + ")")) {
                return patterns.number(pattern);
            }
        }
        return fallback;
    }
}
