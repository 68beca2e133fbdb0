package io.github.panagrad.nn;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;

/// Configs of models small enough for the reference kernels.
public final class TinyModels {
    /// Rows of the embeddings.
    public static final int VOCABULARY = 23;

    private TinyModels() {}

    /// Returns a decoder's config with two layers and two heads for keys.
    public static JsonObject decoder(String type) {
        return JsonObject.of(
                "model_type",
                type,
                "vocab_size",
                VOCABULARY,
                "hidden_size",
                16,
                "intermediate_size",
                24,
                "num_hidden_layers",
                2,
                "num_attention_heads",
                4,
                "num_key_value_heads",
                2,
                "max_position_embeddings",
                32,
                "rms_norm_eps",
                1e-5,
                "rope_theta",
                10000.0,
                "initializer_range",
                0.2,
                "tie_word_embeddings",
                false);
    }

    /// Returns an encoder's config with two layers.
    public static JsonObject encoder() {
        return JsonObject.of(
                "model_type",
                "bert",
                "vocab_size",
                VOCABULARY,
                "hidden_size",
                16,
                "intermediate_size",
                24,
                "num_hidden_layers",
                2,
                "num_attention_heads",
                4,
                "max_position_embeddings",
                32,
                "type_vocab_size",
                2,
                "hidden_act",
                "gelu",
                "hidden_dropout_prob",
                0.1,
                "initializer_range",
                0.2,
                "id2label",
                JsonObject.of("0", "no", "1", "perhaps", "2", "yes"));
    }

    /// Parses a config.
    public static ModelConfig config(JsonObject json) {
        return ModelConfig.of(json);
    }

    /// Draws rows of tokens, each of them in range.
    public static Tensor ids(long seed, int rows, int length) {
        var draw = Rng.of(seed).draw();
        int[] ids = new int[rows * length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = (int) (draw.uniform(i) * VOCABULARY);
        }
        return Ops.indices(ids, rows, length);
    }
}
