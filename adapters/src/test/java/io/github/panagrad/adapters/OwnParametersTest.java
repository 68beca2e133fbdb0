package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ParamCategory;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.models.BertModel;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/// Methods that train some of a model's own parameters: biases (BitFit) and the scales of
/// normalisations.
class OwnParametersTest {
    private static ModelConfig config(String family) {
        return ModelConfig.of(
                JsonObject.of(
                        "model_type", family,
                        "vocab_size", TinyModel.VOCABULARY,
                        "hidden_size", 16,
                        "intermediate_size", 24,
                        "num_hidden_layers", 2,
                        "num_attention_heads", 4,
                        "num_key_value_heads", 2,
                        "max_position_embeddings", 32,
                        "initializer_range", 0.2,
                        "type_vocab_size", 2,
                        "tie_word_embeddings", false));
    }

    /// Trains a selection alone, and checks that each of its tensors has a gradient, and that it and nothing
    /// else moves.
    private static void train(Module model, ParamSelection selection, Supplier<Tensor> loss) {
        Rng rng = Rng.of(3);
        selection
                .parameters()
                .forEach(p ->
                        p.assign(p.detach().add(Ops.randn(rng, p.shape().toArray()).mul(0.1))));
        model.freeze();
        selection.parameters().forEach(p -> p.trainable(true));
        assertThat(model.trainable()).hasSize(selection.size());
        Map<String, float[]> before = new HashMap<>();
        model.stateDict().forEach((path, t) -> before.put(path, t.toFloats()));
        double first = loss.get().item();
        var optimizer = AdamW.of(model.trainable()).lr(0.01);
        for (int step = 0; step < 3; step++) {
            Grads grads = loss.get().backward();
            for (Parameter p : model.trainable()) {
                float[] g = grads.get(p).toFloats();
                for (float v : g) {
                    assertThat(v).as(p.name()).isFinite();
                }
                assertThat(grads.get(p).abs().sum().item()).as(p.name()).isPositive();
            }
            optimizer.step(grads);
        }
        assertThat(loss.get().item()).isLessThan(first);
        List<String> own = selection.entries().stream().map(e -> e.path()).toList();
        model.stateDict()
                .forEach((path, t) -> {
                    if (own.contains(path)) {
                        assertThat(t.toFloats()).as(path).isNotEqualTo(before.get(path));
                    } else {
                        assertThat(t.toFloats()).as(path).isEqualTo(before.get(path));
                    }
                });
    }

    @Test
    void trainsTheScalesOfNormalisations() {
        CausalLM model = CausalLM.create(config("qwen3"), 7);
        ParamSelection norms = model.selection().in(ParamCategory.NORM);
        // Two a block, two more for queries and keys, and the last one.
        assertThat(norms.size()).isEqualTo(9);
        train(model, norms, () -> TinyModel.loss(model));
    }

    @Test
    void trainsTheBiasesOfADecoder() {
        CausalLM model = CausalLM.create(config("qwen2"), 7);
        ParamSelection biases = model.selection().in(ParamCategory.BIAS);
        assertThat(biases.size()).isEqualTo(6);
        train(model, biases, () -> TinyModel.loss(model));
    }

    /// A bias of keys adds the same to all scores of a query, and has no gradient but for rounding.
    @Test
    void trainsTheBiasesOfAnEncoder() {
        BertModel model = BertModel.create(config("bert"), 7);
        ParamSelection biases =
                model.selection().in(ParamCategory.BIAS).where(e -> !e.path().endsWith("key.bias"));
        // Six linear layers a block, without that of keys, and two normalisations; one in front.
        assertThat(biases.size()).isEqualTo(2 * 7 + 1);
        int[] labels = TinyModel.ids(2).toInts();
        BertInput input = BertInput.of(List.of(new int[] {1, 2, 3, 4}, new int[] {5, 6, 7}), 0);
        train(
                model,
                biases,
                () ->
                        Losses.linearCrossEntropy(
                                model.hidden(input),
                                model.parameters().get("embeddings.word_embeddings.weight"),
                                Ops.indices(java.util.Arrays.copyOf(labels, 8), 2, 4)));
    }
}
