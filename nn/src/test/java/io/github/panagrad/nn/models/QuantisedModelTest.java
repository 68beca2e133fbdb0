package io.github.panagrad.nn.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.layers.Linear;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A model whose matrices are Q8 or NF4.
class QuantisedModelTest {
    private static final int VOCABULARY = 50;

    private static CausalLM model() {
        var config =
                JsonObject.of(
                        "model_type", "llama",
                        "vocab_size", VOCABULARY,
                        "hidden_size", 96,
                        "intermediate_size", 72,
                        "num_hidden_layers", 2,
                        "num_attention_heads", 4,
                        "num_key_value_heads", 2,
                        "max_position_embeddings", 32,
                        "initializer_range", 0.1,
                        "tie_word_embeddings", true);
        return CausalLM.create(ModelConfig.of(config), 7);
    }

    private static Tensor ids(long seed, int length) {
        var draw = Rng.of(seed).draw();
        int[] ids = new int[length];
        for (int i = 0; i < length; i++) {
            ids[i] = (int) (draw.uniform(i) * VOCABULARY);
        }
        return Ops.indices(ids, 1, length);
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8", "NF4"})
    void computesLikeItsWidenedCopy(DType type) {
        for (int length : new int[] {1, 5, 30}) {
            var model = model();
            model.to(type);
            float[] stored = model.logits(model.hidden(ids(1, length))).toFloats();
            float loss =
                    (float)
                            Losses.linearCrossEntropy(
                                            model.hidden(ids(1, length)),
                                            model.head(),
                                            ids(2, length))
                                    .item();
            model.to(DType.F32);
            float[] widened = model.logits(model.hidden(ids(1, length))).toFloats();
            for (int i = 0; i < stored.length; i++) {
                assertThat(stored[i]).isCloseTo(widened[i], within(1e-5f));
            }
            assertThat(
                            Losses.linearCrossEntropy(
                                            model.hidden(ids(1, length)),
                                            model.head(),
                                            ids(2, length))
                                    .item())
                    .isCloseTo(loss, within(1e-5));
        }
    }

    @Test
    void quantisesMatricesAlone() {
        var model = model();
        model.module("model.layers.0.mlp.down_proj")
                .attach("extra", new Linear(96, 64, false, Init.zeros(), Rng.of(1)));
        List<String> left = model.to(DType.NF4);
        assertThat(left)
                .containsExactlyInAnyOrder(
                        "model.layers.0.input_layernorm.weight",
                        "model.layers.0.post_attention_layernorm.weight",
                        "model.layers.1.input_layernorm.weight",
                        "model.layers.1.post_attention_layernorm.weight",
                        "model.norm.weight",
                        "model.layers.0.mlp.down_proj.extra.weight");
        model.parameters()
                .forEach((path, p) -> {
                    assertThat(p.dtype() == DType.NF4).as(path).isEqualTo(!left.contains(path));
                    assertThat(p.isTrainable()).as(path).isEqualTo(left.contains(path));
                });
        assertThat(model.toString()).contains("nf4");
    }

    @Test
    void takesAFifthOfTheMemoryAtMost() {
        var model = model();
        long before = bytes(model);
        model.to(DType.NF4);
        assertThat(bytes(model)).isLessThan(before / 5);
    }

    private static long bytes(CausalLM model) {
        return model.parameters().values().stream().mapToLong(Tensor::byteSize).sum();
    }

    @Test
    void isNotSavedInAFormatWithoutSuchTypes(@TempDir Path folder) {
        var model = model();
        model.to(DType.Q8);
        assertThatThrownBy(() -> model.save(folder))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("q8")
                .hasMessageContaining("to(DType.F32)");
    }
}
