package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.models.CausalLM;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Prefixes and prompts where several sequences share a row: each has its own.
class PackedPromptsTest {
    private static final List<Example> EXAMPLES =
            List.of(
                    Example.of(new int[] {1, 2, 3, 4}),
                    Example.of(new int[] {5, 6}),
                    Example.of(new int[] {7, 8, 9}),
                    Example.of(new int[] {10, 11, 12, 13, 14}));

    private static Adapter attached(CausalLM model, String name) {
        MethodCase c =
                InsertedMethods.all().filter(m -> m.name().equals(name)).findFirst().orElseThrow();
        Adapter adapter = c.method().attach(model, c.targets());
        Rng rng = Rng.of(5);
        for (Parameter p : adapter.parameters().values()) {
            p.assign(Ops.randn(rng, p.shape().toArray()).mul(0.3));
        }
        return adapter;
    }

    private static Batch batch(boolean packed) {
        Batches batches = Batches.of(EXAMPLES).size(packed ? 2 : 4);
        var all = new ArrayList<Batch>();
        (packed ? batches.packed(9) : batches).forEach(all::add);
        assertThat(all).hasSize(1);
        assertThat(all.getFirst().isPacked()).isEqualTo(packed);
        return all.getFirst();
    }

    /// Returns the last hidden states of each example.
    private static Map<Integer, float[]> hidden(CausalLM model, Batch batch) {
        Tensor h = Ops.noGrad(() -> model.hidden(batch));
        var byExample = new HashMap<Integer, float[]>();
        for (Batch.Sequence s : batch.sequences()) {
            byExample.put(
                    s.example(),
                    h.narrow(0, s.row(), 1).narrow(1, s.start(), s.length()).toFloats());
        }
        return byExample;
    }

    @ParameterizedTest
    @ValueSource(strings = {"prefix", "prefix by a network", "prompt", "mam"})
    void aSequenceSaysWhatItSaysInARowOfItsOwn(String name) {
        CausalLM model = TinyModel.create();
        Adapter adapter = attached(model, name);
        Map<Integer, float[]> packed = hidden(model, batch(true));
        Map<Integer, float[]> apart = hidden(model, batch(false));
        assertThat(packed).hasSize(4);
        packed.forEach(
                (example, h) -> assertThat(h).containsExactly(apart.get(example), within(1e-5f)));

        // Training sees the same, too. The first one's loss is of the sum of tokens, as the
        // second's.
        Grads one = model.loss(batch(true)).backward();
        Grads other = model.loss(batch(false)).backward();
        for (Parameter p : adapter.parameters().values()) {
            assertThat(one.get(p).toFloats())
                    .as(p.name())
                    .containsExactly(other.get(p).toFloats(), within(1e-5f));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"prompt", "prefix"})
    void aWindowIsKeptToOrNamed(String name) {
        CausalLM model =
                CausalLM.create(
                        ModelConfig.of(
                                JsonObject.of(
                                        "model_type", "mistral",
                                        "vocab_size", TinyModel.VOCABULARY,
                                        "hidden_size", 16,
                                        "intermediate_size", 24,
                                        "num_hidden_layers", 2,
                                        "num_attention_heads", 4,
                                        "num_key_value_heads", 2,
                                        "max_position_embeddings", 32,
                                        "sliding_window", 4,
                                        "initializer_range", 0.2,
                                        "tie_word_embeddings", false)),
                        7);
        attached(model, name);
        if (name.equals("prefix")) {
            assertThatThrownBy(() -> model.hidden(batch(true)))
                    .hasMessageContaining("window 4")
                    .hasMessageContaining("without packing");
        } else {
            Map<Integer, float[]> apart = hidden(model, batch(false));
            hidden(model, batch(true))
                    .forEach((example, h) ->
                            assertThat(h).containsExactly(apart.get(example), within(1e-5f)));
        }
    }

    @Test
    void rowsWithAdaptersOfTheirOwnKeepTheirPositions() {
        CausalLM model = TinyModel.create();
        var set = new AdapterSet(model);
        set.add(attached(model, "prefix"));
        set.use("adapter");
        Batch batch = batch(true);
        float[] all = Ops.noGrad(() -> model.hidden(batch).toFloats());
        set.useNone();
        float[] none = Ops.noGrad(() -> model.hidden(batch).toFloats());
        int half = all.length / 2;
        for (int with = 0; with < 2; with++) {
            var rows = with == 0 ? set.rows("adapter", "") : set.rows("", "adapter");
            float[] mixed = Ops.noGrad(() -> model.hidden(batch, rows).toFloats());
            for (int i = 0; i < mixed.length; i++) {
                float wanted = i / half == with ? all[i] : none[i];
                assertThat(mixed[i]).isCloseTo(wanted, within(1e-5f));
            }
        }
    }
}
