package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.TensorFiles;
import io.github.panagrad.nn.layers.Embedding;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrainableTokensTest {
    private static final String EMBEDDING = "model.embed_tokens";
    private static final int[] TOKENS = {17, 2, 11};
    private static final int WIDTH = 16;

    private static Adapter attach(CausalLM model) {
        return TrainableTokens.of(TOKENS).attach(model, "**.embed_tokens");
    }

    private static Parameter rows(Adapter adapter) {
        return adapter.parameters().values().iterator().next();
    }

    private static double[] row(Tensor table, int number) {
        int from = number * WIDTH;
        return Arrays.copyOfRange(table.toDoubles(), from, from + WIDTH);
    }

    private static Tensor table(CausalLM model) {
        return ((Embedding) model.module(EMBEDDING)).weight().detach();
    }

    private static void assertClose(double[] actual, double[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat(actual[i]).isCloseTo(expected[i], offset(1e-5));
        }
    }

    /// The gradient of the rows is what a model without the adapter finds for these rows, the tied
    /// head's part included.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theRowsGetWhatTheTableWouldGet(boolean tied) {
        var whole = TinyModel.create(tied);
        Parameter table = whole.parameters().get(EMBEDDING + ".weight");
        Tensor expected = TinyModel.loss(whole).backward().get(table);
        var model = TinyModel.create(tied);
        Adapter adapter = attach(model);
        assertThat(adapter.targets())
                .isEqualTo(tied ? List.of(EMBEDDING, "lm_head") : List.of(EMBEDDING));
        assertThat(model.trainableCount()).isEqualTo((long) TOKENS.length * WIDTH);
        Tensor actual = TinyModel.loss(model).backward().get(rows(adapter));
        for (int i = 0; i < TOKENS.length; i++) {
            assertClose(row(actual, i), row(expected, TOKENS[i]));
        }
        assertThat(actual.abs().sum().item()).isPositive();
    }

    /// Losses that never call the head see the same vectors as logits do.
    @Test
    void aFusedHeadAndLogitsAgreeOnATiedModel() {
        var model = TinyModel.create(true);
        Adapter adapter = attach(model);
        var optimizer = AdamW.of(model.trainable()).lr(0.05);
        for (int step = 0; step < 3; step++) {
            optimizer.step(TinyModel.loss(model).backward());
        }
        Tensor fused = TinyModel.loss(model);
        Tensor plain = throughLogits(model);
        assertThat(fused.item()).isCloseTo(plain.item(), offset(1e-5));
        Grads a = fused.backward();
        Grads b = plain.backward();
        assertClose(a.get(rows(adapter)).toDoubles(), b.get(rows(adapter)).toDoubles());

        adapter.strength(0.5);
        assertThat(TinyModel.loss(model).item())
                .isCloseTo(throughLogits(model).item(), offset(1e-5));
        adapter.enabled(false);
        assertThat(model.head().toFloats()).isEqualTo(table(model).toFloats());
    }

    private static Tensor throughLogits(CausalLM model) {
        return Losses.crossEntropy(model.logits(model.hidden(TinyModel.ids(1))), TinyModel.ids(2));
    }

    @ParameterizedTest
    @ValueSource(doubles = {1, 0.5})
    void mergesIntoATiedTableOnce(double strength) {
        var model = TinyModel.create(true);
        Adapter adapter = attach(model);
        AdamW.of(model.trainable()).lr(0.1).step(TinyModel.loss(model).backward());
        Tensor before = table(model).keep();
        adapter.strength(strength);
        assertThat(adapter.merge(() -> TinyModel.logits(model))).isLessThan(1e-4);
        Tensor after = table(model);
        for (int token = 0; token < TinyModel.VOCABULARY; token++) {
            int wanted = token;
            boolean own = Arrays.stream(TOKENS).anyMatch(t -> t == wanted);
            assertThat(Arrays.equals(row(after, token), row(before, token))).isEqualTo(!own);
        }
        adapter.unmerge();
        assertThat(table(model).toFloats()).isEqualTo(before.toFloats());
    }

    @Test
    void readsAndWritesPeftsFormat(@TempDir Path folder) throws Exception {
        double[] values = new double[TOKENS.length * WIDTH];
        Arrays.setAll(values, i -> i / 100.0);
        String key = "base_model.model." + EMBEDDING + ".trainable_tokens_delta";
        TensorFiles.write(
                folder.resolve("adapter_model.safetensors"),
                Map.of(key, Ops.tensor(values).reshape(TOKENS.length, WIDTH)),
                Map.of("format", "pt"));
        Files.writeString(
                folder.resolve("adapter_config.json"),
                """
                {"peft_type": "TRAINABLE_TOKENS", "token_indices": [17, 2, 11],
                 "target_modules": null, "init_weights": true, "task_type": "CAUSAL_LM"}
                """);
        var model = TinyModel.create(true);
        Adapter adapter = Adapter.load(model, folder);
        Tensor table = table(model);
        var layer = (Embedding) model.module(EMBEDDING);
        Tensor looked = layer.call(Ops.indices(new int[] {2, 3, 17, 2}, 1, 4)).reshape(4, WIDTH);
        assertClose(row(looked, 0), Arrays.copyOfRange(values, WIDTH, 2 * WIDTH));
        assertClose(row(looked, 1), row(table, 3));
        assertClose(row(looked, 2), Arrays.copyOf(values, WIDTH));
        assertClose(row(looked, 3), row(looked, 0));
        Tensor x = Ops.ones(1, 1, WIDTH);
        assertThat(model.logits(x).at(0, 0, 17))
                .isCloseTo(Arrays.stream(values, 0, WIDTH).sum(), offset(1e-5));

        Path written = folder.resolve("written");
        adapter.save(written);
        assertThat(TensorFiles.read(written.resolve("adapter_model.safetensors")))
                .containsOnlyKeys(key);
        JsonObject config = JsonObject.read(written.resolve("adapter_config.json"));
        assertThat(config.strings("target_modules")).containsExactly(EMBEDDING);
        assertThat(config.string("peft_type", "")).isEqualTo("TRAINABLE_TOKENS");
        var fresh = TinyModel.create(true);
        Adapter.load(fresh, written);
        assertThat(TinyModel.logits(fresh).toFloats())
                .isEqualTo(TinyModel.logits(model).toFloats());
    }

    @Test
    void saysWhatIsWrong() {
        assertThatThrownBy(() -> TrainableTokens.of(3, 3))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("a token comes twice");
        assertThatThrownBy(TrainableTokens::of).hasMessageContaining("no token");
        var model = TinyModel.create();
        assertThatThrownBy(() -> TrainableTokens.of(23).attach(model, "**.embed_tokens"))
                .hasMessageContaining("no such token in model.embed_tokens")
                .hasMessageContaining("0 to 22");
    }
}
