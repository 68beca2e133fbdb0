package io.github.panagrad.nn.models;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.io.SafeTensors;
import io.github.panagrad.nn.io.TensorFiles;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// A model's folder: config and weights.
final class ModelFiles {
    private static final List<String> DTYPE_FIELDS = List.of("torch_dtype", "dtype");

    private ModelFiles() {}

    /// Lets a model take over weights of a folder.
    ///
    /// @throws PanagradException if they are not the model's; the message names the folder
    static void bind(Module model, Path folder, Map<String, Tensor> weights) {
        try {
            model.bind(weights);
        } catch (PanagradException e) {
            throw new PanagradException(folder + ": " + e.getMessage(), e);
        }
    }

    /// Writes config and weights. Where the config names the type of weights, it names the one
    /// written.
    static void save(Module model, JsonObject config, Path folder) {
        Map<String, Tensor> state = model.stateDict();
        JsonObject json = config;
        for (String field : DTYPE_FIELDS) {
            if (json.has(field)) {
                json = json.with(field, name(state.values().iterator().next().dtype()));
            }
        }
        TensorFiles.write(folder.resolve(SafeTensors.FILE), state, Map.of());
        json.write(folder.resolve(ModelConfig.FILE));
    }

    private static String name(DType dtype) {
        return switch (dtype) {
            case BF16 -> "bfloat16";
            case F16 -> "float16";
            case F64 -> "float64";
            default -> "float32";
        };
    }
}
