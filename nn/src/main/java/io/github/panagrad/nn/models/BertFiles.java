package io.github.panagrad.nn.models;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.io.BertConfig;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.io.TensorFiles;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// Reads BERT's files, in which an encoder stands alone or, under `bert.`, with a head.
final class BertFiles {
    private static final String PREFIX = "bert.";

    private BertFiles() {}

    static BertConfig config(ModelConfig config) {
        if (config instanceof BertConfig bert) {
            return bert;
        }
        throw new PanagradException(
                "encoder",
                "not an encoder",
                "model_type " + config.modelType(),
                "bert",
                "language models are loaded by CausalLM.load");
    }

    /// Returns a folder's weights without the buffers that old files carry.
    static Map<String, Tensor> weights(Path folder) {
        var weights = new LinkedHashMap<>(TensorFiles.read(folder));
        weights.keySet().removeIf(name -> name.endsWith("embeddings.position_ids"));
        return weights;
    }

    /// Loads an encoder, from a file with a head too; the head is left out.
    static BertModel encoder(Path folder) {
        BertConfig config = config(ModelConfig.read(folder));
        Map<String, Tensor> all = weights(folder);
        boolean prefixed = all.keySet().stream().anyMatch(name -> name.startsWith(PREFIX));
        var own = new LinkedHashMap<String, Tensor>();
        all.forEach((name, values) -> {
            if (!prefixed) {
                own.put(name, values);
            } else if (name.startsWith(PREFIX)) {
                own.put(name.substring(PREFIX.length()), values);
            }
        });
        var model = new BertModel(config, hasPooler(own), Init.UNSET, Rng.of(0));
        ModelFiles.bind(model, folder, own);
        return model;
    }

    static boolean hasPooler(Map<String, Tensor> weights) {
        return weights.keySet().stream().anyMatch(name -> name.contains("pooler.dense."));
    }
}
