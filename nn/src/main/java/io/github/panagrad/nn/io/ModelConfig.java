package io.github.panagrad.nn.io;

import io.github.panagrad.engine.ground.PanagradException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// What `config.json` says of a model: its family and its sizes.
///
/// A config is a typed view of the file's JSON, which it keeps: what is written back is what was
/// read, fields that are not known here included. To change a config, change its JSON:
/// `ModelConfig.of(config.json().with("num_hidden_layers", 2))`.
public sealed interface ModelConfig permits LlamaConfig, BertConfig {
    /// The name of the file in a model's folder.
    String FILE = "config.json";

    /// Reads `config.json`, from a model's folder or named itself.
    ///
    /// @throws PanagradException if the file is missing, a field is missing or contradicts another,
    ///     or the model is of a family or kind that is not supported
    static ModelConfig read(Path path) {
        return of(JsonObject.read(Files.isDirectory(path) ? path.resolve(FILE) : path));
    }

    /// Reads a config from its JSON.
    ///
    /// @throws PanagradException as [#read] does
    static ModelConfig of(JsonObject json) {
        String type = json.string("model_type");
        var family = LlamaConfig.Family.of(type);
        if (family != null) {
            return LlamaConfig.of(family, json);
        }
        if (type.equals(BertConfig.TYPE)) {
            return BertConfig.of(json);
        }
        throw json.error(
                "model_type",
                "is not supported",
                "one of " + LlamaConfig.Family.names() + ", " + BertConfig.TYPE,
                "");
    }

    /// Returns the JSON that this config was read from.
    JsonObject json();

    /// Returns the family's name, such as `llama`.
    String modelType();

    /// Returns the number of rows of the token embedding.
    int vocabSize();

    /// Returns the width of the residual stream.
    int hiddenSize();

    /// Returns the width inside a feed-forward block.
    int intermediateSize();

    /// Returns the number of transformer layers.
    int layers();

    /// Returns the number of query heads in a layer.
    int heads();

    /// Returns the longest sequence that the model knows positions for.
    int maxPositions();

    /// Returns the standard deviation that fresh weights are drawn with.
    double initializerRange();

    /// Returns the names of a classifier's labels, in the order of its outputs; empty where the
    /// config names none.
    List<String> labels();

    /// Writes the config as `config.json` into a model's folder.
    default void save(Path folder) {
        json().write(folder.resolve(FILE));
    }
}
