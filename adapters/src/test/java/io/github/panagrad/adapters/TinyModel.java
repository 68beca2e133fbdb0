package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.models.CausalLM;

/// A random two-layer Llama that trains in a moment.
public final class TinyModel {
    /// Rows of the embeddings.
    public static final int VOCABULARY = 23;

    private static final int LENGTH = 9;

    private TinyModel() {}

    /// Creates it, each time with the same weights.
    public static CausalLM create() {
        return create(false);
    }

    static CausalLM create(boolean tied) {
        return create(tied, 16, 24);
    }

    /// Creates one whose rows are long enough to be stored in blocks.
    public static CausalLM wide() {
        return create(false, 64, 96);
    }

    private static CausalLM create(boolean tied, int width, int inner) {
        var config =
                JsonObject.of(
                        "model_type",
                        "llama",
                        "vocab_size",
                        VOCABULARY,
                        "hidden_size",
                        width,
                        "intermediate_size",
                        inner,
                        "num_hidden_layers",
                        2,
                        "num_attention_heads",
                        4,
                        "num_key_value_heads",
                        2,
                        "max_position_embeddings",
                        32,
                        "initializer_range",
                        0.2,
                        "tie_word_embeddings",
                        tied);
        return CausalLM.create(ModelConfig.of(config), 7);
    }

    /// Draws tokens. Shapes: → (2, T).
    public static Tensor ids(long seed) {
        var draw = Rng.of(seed).draw();
        int[] ids = new int[2 * LENGTH];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = (int) (draw.uniform(i) * VOCABULARY);
        }
        return Ops.indices(ids, 2, LENGTH);
    }

    /// Computes a loss that always has the same tokens.
    public static Tensor loss(CausalLM model) {
        return Losses.linearCrossEntropy(model.hidden(ids(1)), model.head(), ids(2));
    }

    /// Computes logits of tokens that the loss does not have.
    public static Tensor logits(CausalLM model) {
        return Ops.noGrad(() -> model.logits(model.hidden(ids(3))));
    }
}
