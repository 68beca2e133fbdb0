package io.github.panagrad.nn.io;

import io.github.panagrad.engine.ground.PanagradException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The config of a decoder of the Llama family: Llama, Mistral, Qwen2 or Qwen3.
///
/// The defaults of fields that a file lacks are those of the family's original implementation.
///
/// @param json the file's JSON, kept to be written back
/// @param family which member of the family it is
/// @param vocabSize rows of the token embedding
/// @param hiddenSize width of the residual stream
/// @param intermediateSize width inside the feed-forward block
/// @param layers number of layers
/// @param heads query heads in a layer
/// @param kvHeads key and value heads in a layer; heads is a multiple of it
/// @param headDim channels of one head
/// @param maxPositions longest sequence that the model was made for
/// @param rmsNormEps what keeps the norms from dividing by zero
/// @param rope how positions enter
/// @param activation the gate's function
/// @param tieEmbeddings whether the head is the token embedding
/// @param qkvBias whether the query, key and value projections have biases
/// @param outputBias whether the attention's output projection has a bias
/// @param mlpBias whether the feed-forward block's projections have biases
/// @param qkNorm whether each head's queries and keys are normalised
/// @param windows for each layer, how many keys a query sees, its own included; 0 for all
/// @param attentionDropout how much of the attention the original training dropped; `CausalLM` drops none
/// @param initializerRange standard deviation of fresh weights
/// @param bosId token that begins a text
/// @param eosIds tokens that end a text
/// @param padId token that fills up a batch
/// @param labels names of a classifier's labels
public record LlamaConfig(
        JsonObject json,
        Family family,
        int vocabSize,
        int hiddenSize,
        int intermediateSize,
        int layers,
        int heads,
        int kvHeads,
        int headDim,
        int maxPositions,
        double rmsNormEps,
        RopeConfig rope,
        Activation activation,
        boolean tieEmbeddings,
        boolean qkvBias,
        boolean outputBias,
        boolean mlpBias,
        boolean qkNorm,
        List<Integer> windows,
        double attentionDropout,
        double initializerRange,
        OptionalInt bosId,
        List<Integer> eosIds,
        OptionalInt padId,
        List<String> labels)
        implements ModelConfig {
    /// The members of the family.
    public enum Family {
        /// Llama 1 to 3 and what copies them, such as SmolLM2 and TinyLlama.
        LLAMA(0),
        /// Mistral: a sliding window in every layer, where the file names one.
        MISTRAL(8),
        /// Qwen2 and 2.5: biases on queries, keys and values.
        QWEN2(32),
        /// Qwen3: no such biases, normalised queries and keys.
        QWEN3(32);

        private final int defaultKvHeads;

        Family(int defaultKvHeads) {
            this.defaultKvHeads = defaultKvHeads;
        }

        static @Nullable Family of(String modelType) {
            for (Family family : values()) {
                if (family.modelType().equals(modelType)) {
                    return family;
                }
            }
            return null;
        }

        static String names() {
            return Arrays.stream(values()).map(Family::modelType).collect(Collectors.joining(", "));
        }

        /// Returns the name in model files.
        public String modelType() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    static LlamaConfig of(Family family, JsonObject json) {
        var fields = new ConfigFields(json);
        fields.requireUnquantised();
        int hidden = fields.positive("hidden_size");
        int heads = fields.positive("num_attention_heads");
        int layers = fields.layers();
        int kvHeads = kvHeads(family, json, fields, heads);
        boolean optionalBias = json.bool("attention_bias", false);
        boolean biasByKind = family == Family.LLAMA || family == Family.QWEN3;
        return new LlamaConfig(
                json,
                family,
                fields.positive("vocab_size"),
                hidden,
                fields.positive("intermediate_size"),
                layers,
                heads,
                kvHeads,
                headDim(family, json, fields, hidden, heads),
                fields.positive("max_position_embeddings"),
                fields.positive("rms_norm_eps", 1e-6),
                RopeConfig.read(json),
                fields.activation("hidden_act", "silu"),
                json.bool("tie_word_embeddings", false),
                family == Family.QWEN2 || (biasByKind && optionalBias),
                biasByKind && optionalBias,
                family == Family.LLAMA && json.bool("mlp_bias", false),
                family == Family.QWEN3,
                windows(family, json, fields, layers),
                fields.dropout("attention_dropout", 0),
                fields.positive("initializer_range", 0.02),
                fields.id("bos_token_id"),
                fields.ids("eos_token_id"),
                fields.id("pad_token_id"),
                fields.labels());
    }

    private static int kvHeads(Family family, JsonObject json, ConfigFields fields, int heads) {
        boolean named = json.names().contains("num_key_value_heads");
        int fallback = named || family.defaultKvHeads == 0 ? heads : family.defaultKvHeads;
        int kvHeads = fields.positive("num_key_value_heads", fallback);
        if (heads % kvHeads != 0) {
            throw fields.indivisible("num_attention_heads", heads, "num_key_value_heads", kvHeads);
        }
        return kvHeads;
    }

    private static int headDim(
            Family family, JsonObject json, ConfigFields fields, int hidden, int heads) {
        // Qwen3 is the one whose heads need not add up to the width.
        boolean free = json.has("head_dim") || family == Family.QWEN3;
        if (!free && hidden % heads != 0) {
            throw fields.indivisible("hidden_size", hidden, "num_attention_heads", heads);
        }
        int headDim = fields.positive("head_dim", family == Family.QWEN3 ? 128 : hidden / heads);
        if (headDim % 2 != 0) {
            throw new PanagradException(
                    json.where(),
                    "the channels of a head cannot be paired for rotary positions",
                    "head_dim " + headDim,
                    "an even number",
                    "");
        }
        return headDim;
    }

    /// Finds each layer's window. Qwen switches windows on by a flag and then has them from some
    /// layer on; newer files list the kind of each layer.
    private static List<Integer> windows(
            Family family, JsonObject json, ConfigFields fields, int layers) {
        boolean qwen = family == Family.QWEN2 || family == Family.QWEN3;
        boolean on =
                switch (family) {
                    case LLAMA -> false;
                    case MISTRAL -> json.has("sliding_window");
                    case QWEN2, QWEN3 -> json.bool("use_sliding_window", false);
                };
        if (!on) {
            return Collections.nCopies(layers, 0);
        }
        int window = fields.positive("sliding_window", 4096);
        if (qwen && json.has("layer_types")) {
            return windowsByType(json, layers, window);
        }
        int first = qwen ? json.integer("max_window_layers", 28) : 0;
        Integer[] windows = new Integer[layers];
        for (int i = 0; i < layers; i++) {
            windows[i] = i >= first ? window : 0;
        }
        return List.of(windows);
    }

    private static List<Integer> windowsByType(JsonObject json, int layers, int window) {
        var types = json.strings("layer_types");
        if (types.size() != layers) {
            throw json.error("layer_types", "has the wrong length", layers + " entries", "");
        }
        return types.stream()
                .map(type ->
                        switch (type) {
                            case "sliding_attention" -> window;
                            case "full_attention" -> 0;
                            default ->
                                    throw json.error(
                                            "layer_types",
                                            "has an unknown entry " + Json.quote(type),
                                            "full_attention or sliding_attention",
                                            "");
                        })
                .toList();
    }

    @Override
    public String modelType() {
        return family.modelType();
    }

    /// Returns how many keys a query of one layer sees, its own included; 0 for all.
    public int window(int layer) {
        return windows.get(layer);
    }
}
