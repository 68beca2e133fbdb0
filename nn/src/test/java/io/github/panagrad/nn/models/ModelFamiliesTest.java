package io.github.panagrad.nn.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.AttentionOptions;
import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ParamCategory;
import io.github.panagrad.nn.Taps;
import io.github.panagrad.nn.TinyModels;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.io.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ModelFamiliesTest {
    private static final int LENGTH = 7;

    /// A config and what it is about.
    record Kind(String name, JsonObject json) {
        CausalLM create() {
            return CausalLM.create(TinyModels.config(json), 5);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Kind> kinds() {
        JsonObject llama3 =
                JsonObject.of(
                        "rope_type",
                        "llama3",
                        "factor",
                        4.0,
                        "low_freq_factor",
                        1.0,
                        "high_freq_factor",
                        4.0,
                        "original_max_position_embeddings",
                        16);
        return Stream.of(
                new Kind("llama", TinyModels.decoder("llama")),
                new Kind(
                        "llama, tied, biases, stretched positions",
                        TinyModels.decoder("llama")
                                .with("tie_word_embeddings", true)
                                .with("attention_bias", true)
                                .with("mlp_bias", true)
                                .with("rope_scaling", llama3)),
                new Kind(
                        "llama, gelu, own head width",
                        TinyModels.decoder("llama")
                                .with("hidden_act", "gelu_pytorch_tanh")
                                .with("head_dim", 6)),
                new Kind("mistral", TinyModels.decoder("mistral").with("sliding_window", 3)),
                new Kind("qwen2", TinyModels.decoder("qwen2").with("tie_word_embeddings", true)),
                new Kind("qwen3", TinyModels.decoder("qwen3").with("head_dim", 8)));
    }

    private static Tensor loss(CausalLM model, Tensor ids) {
        Tensor targets = ids.narrow(1, 1, ids.dim(1) - 1).contiguous();
        Tensor hidden = model.hidden(ids.narrow(1, 0, ids.dim(1) - 1).contiguous());
        return Losses.linearCrossEntropy(hidden, model.head(), targets);
    }

    /// Adding one number to all scores of a query changes no probability, so without rotary
    /// positions the bias of the keys has no gradient but rounding.
    private static final String NO_GRADIENT = "attention.self.key.bias";

    private static void assertAllTrained(Module model, Grads grads) {
        assertThat(model.trainable()).isNotEmpty();
        for (Parameter p : model.trainable()) {
            double[] values = grads.get(p).toDoubles();
            double most = 0;
            for (double v : values) {
                assertThat(v).as("gradient of " + p.name()).isFinite();
                most = Math.max(most, Math.abs(v));
            }
            if (p.name().endsWith(NO_GRADIENT)) {
                assertThat(most).as("gradient of " + p.name()).isLessThan(1e-5);
            } else {
                assertThat(most).as("gradient of " + p.name()).isGreaterThan(1e-5);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void everyParameterGetsAFiniteGradient(Kind kind) {
        var model = kind.create();
        assertAllTrained(model, loss(model, TinyModels.ids(1, 2, LENGTH)).backward());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void recomputedActivationsGiveTheSameGradients(Kind kind) {
        var model = kind.create();
        Tensor ids = TinyModels.ids(2, 2, LENGTH);
        Grads kept = loss(model, ids).backward();
        model.checkpointing(true);
        Grads recomputed = loss(model, ids).backward();
        for (Parameter p : model.trainable()) {
            assertThat(recomputed.get(p).toFloats()).as(p.name()).isEqualTo(kept.get(p).toFloats());
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void tokensThroughTheCacheGiveTheStatesOfTheWhole(Kind kind) {
        var model = kind.create();
        int[] ids = TinyModels.ids(3, 1, 11).toInts();
        float[] whole = model.hidden(Ops.indices(ids, ids.length)).toFloats();
        KvCache cache = model.cache(ids.length);
        var parts = new ArrayList<Float>();
        int[] pieces = {4, 1, 1, 3, 2};
        int from = 0;
        for (int piece : pieces) {
            int[] next = java.util.Arrays.copyOfRange(ids, from, from + piece);
            for (float v : model.hidden(Ops.indices(next, piece), cache).toFloats()) {
                parts.add(v);
            }
            from += piece;
        }
        assertThat(cache.length()).isEqualTo(ids.length);
        for (int i = 0; i < whole.length; i++) {
            assertThat(parts.get(i)).isCloseTo(whole[i], within(1e-4f));
        }
        assertThatThrownBy(() -> model.hidden(Ops.indices(new int[] {1}, 1), cache))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("key-value cache: full; got 12 tokens; expected at most 11");
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void savedAndLoadedModelsAgreeBitForBit(Kind kind, @TempDir Path folder) {
        var model = kind.create();
        model.save(folder);
        var loaded = CausalLM.load(folder);
        assertThat(loaded.parameters().keySet()).isEqualTo(model.parameters().keySet());
        Tensor ids = TinyModels.ids(4, 1, LENGTH);
        assertThat(loaded.logits(loaded.hidden(ids)).toFloats())
                .isEqualTo(model.logits(model.hidden(ids)).toFloats());
        assertThat(loaded.config().json()).isEqualTo(model.config().json());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void packedSequencesDoNotSeeEachOther(Kind kind) {
        var model = kind.create();
        int[] a = TinyModels.ids(5, 1, 4).toInts();
        int[] b = TinyModels.ids(6, 1, 5).toInts();
        int[] both = new int[9];
        System.arraycopy(a, 0, both, 0, 4);
        System.arraycopy(b, 0, both, 4, 5);
        var packed =
                new Sequence(
                        Ops.indices(new int[] {0, 1, 2, 3, 0, 1, 2, 3, 4}, 1, 9),
                        AttentionOptions.causal()
                                .segments(Ops.indices(new int[] {0, 0, 0, 0, 1, 1, 1, 1, 1}, 1, 9)),
                        null);
        float[] together = model.hidden(Ops.indices(both, 1, 9), packed, Context.EMPTY).toFloats();
        float[] alone = model.hidden(Ops.indices(b, 1, 5)).toFloats();
        for (int i = 0; i < alone.length; i++) {
            assertThat(together[4 * 16 + i]).isCloseTo(alone[i], within(1e-4f));
        }
    }

    @Test
    void windowsLimitSight() {
        var model =
                CausalLM.create(
                        TinyModels.config(
                                TinyModels.decoder("mistral")
                                        .with("sliding_window", 2)
                                        .with("num_hidden_layers", 1)),
                        5);
        int[] ids = TinyModels.ids(7, 1, 6).toInts();
        float[] before = model.hidden(Ops.indices(ids, 6)).toFloats();
        ids[3] = (ids[3] + 1) % TinyModels.VOCABULARY;
        float[] after = model.hidden(Ops.indices(ids, 6)).toFloats();
        for (int t = 0; t < 6; t++) {
            boolean sees = t == 3 || t == 4;
            boolean changed = false;
            for (int c = 0; c < 16; c++) {
                changed |= before[t * 16 + c] != after[t * 16 + c];
            }
            assertThat(changed).as("position " + t).isEqualTo(sees);
        }
    }

    @Test
    void tiedHeadsAreOneParameter() {
        var tied =
                CausalLM.create(
                        TinyModels.config(
                                TinyModels.decoder("llama").with("tie_word_embeddings", true)),
                        5);
        var untied = CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), 5);
        long table = 16L * TinyModels.VOCABULARY;
        assertThat(untied.parameterCount() - tied.parameterCount()).isEqualTo(table);
        assertThat(tied.parameters()).doesNotContainKey("lm_head.weight");
        assertThat(tied.head()).isSameAs(tied.parameters().get("model.embed_tokens.weight"));
        assertThat(tied.toString()).contains("lm_head");
    }

    @Test
    void parametersKnowTheirPlace() {
        var model = CausalLM.create(TinyModels.config(TinyModels.decoder("qwen2")), 5);
        var selection = model.selection();
        assertThat(selection.entries())
                .noneMatch(e -> e.category() == ParamCategory.OTHER)
                .allMatch(e -> e.path().equals(e.parameter().name()));
        assertThat(selection.in(ParamCategory.ATTN_Q).blocks(b -> b == 1).entries())
                .extracting(e -> e.path())
                .containsExactly("model.layers.1.self_attn.q_proj.weight");
        assertThat(selection.in(ParamCategory.NORM).size()).isEqualTo(5);
        assertThat(selection.in(ParamCategory.BIAS).size()).isEqualTo(6);
        assertThat(selection.in(ParamCategory.HEAD).count()).isEqualTo(16 * 23);
    }

    @Test
    void interceptedHeadsTakePartInTheLoss() {
        var model = CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), 5);
        var batch =
                Batches.of(List.of(Example.of(TinyModels.ids(1, 1, 6).toInts()))).iterator().next();
        double plain = model.loss(batch).item();
        try (var _ = Taps.replace(model, "lm_head", (y, context) -> y.mul(1))) {
            assertThat(model.loss(batch).item()).isCloseTo(plain, within(1e-5));
            assertThatThrownBy(model::head)
                    .hasMessageContaining("lm_head is intercepted, and a fused head would pass");
            assertThatThrownBy(() ->
                            model.loss(
                                    model.hidden(batch),
                                    batch,
                                    HeadOptions.DEFAULT.zLoss(1),
                                    Reduction.SUM))
                    .hasMessageContaining("only the plain loss goes through it");
        }
        try (var _ = Taps.replace(model, "lm_head", (y, context) -> y.mul(0))) {
            assertThat(model.loss(batch).item())
                    .isCloseTo(Math.log(TinyModels.VOCABULARY), within(1e-5));
        }
    }

    @Test
    void longSequencesAreRefused() {
        var model = CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), 5);
        assertThatThrownBy(() -> model.hidden(TinyModels.ids(1, 1, 33)))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining(
                        "model: the sequence is longer than the model's context; got 33 tokens;"
                                + " expected at most 32");
    }

    @Test
    void generationEndsAtTheContext() {
        var model = CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), 5);
        int[] prompt = TinyModels.ids(8, 1, 30).toInts();
        assertThat(model.generate(prompt, Sampling.greedy(), id -> {})).hasSize(3);
        assertThatThrownBy(() -> model.generate(new int[0], Sampling.greedy(), id -> {}))
                .hasMessageContaining("generate: the prompt does not fit; got 0 tokens");
    }

    @Test
    void storedWeightsComputeLikeTheirWidenedCopies() {
        var model = CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), 5);
        model.to(DType.BF16);
        assertThat(model.trainable()).isEmpty();
        Tensor ids = TinyModels.ids(9, 1, LENGTH);
        float[] stored = model.logits(model.hidden(ids)).toFloats();
        model.to(DType.F32);
        float[] widened = model.logits(model.hidden(ids)).toFloats();
        for (int i = 0; i < stored.length; i++) {
            assertThat(stored[i]).isCloseTo(widened[i], within(1e-5f));
        }
        model.unfreeze();
        assertThat(model.trainableCount()).isEqualTo(model.parameterCount());
    }

    // Encoders

    private static BertInput input() {
        Tensor ids = TinyModels.ids(10, 2, 5);
        Tensor types = Ops.indices(new int[] {0, 0, 1, 1, 0, 0, 1, 1, 1, 1}, 2, 5);
        var filled = BertInput.of(List.of(new int[] {1, 2, 3}, new int[] {4, 5, 6, 7, 8}), 0);
        return new BertInput(ids, filled.mask(), types);
    }

    @Test
    void everyParameterOfAnEncoderUnderItsHeadsGetsAFiniteGradient() {
        var labels = List.of("no", "perhaps", "yes");
        Tensor rows = Ops.indices(new int[] {2, 0}, 2);
        Tensor tokens = Ops.indices(new int[] {2, 0, 1, -100, -100, 1, 1, 0, 2, 0}, 2, 5);
        var pooler = BertClassifier.ofRows(encoder(), labels, 3);
        assertAllTrained(pooler, Losses.crossEntropy(pooler.logits(input()), rows).backward());
        for (Pooling pooling : Pooling.values()) {
            var pooled = BertClassifier.ofRows(encoder(), labels, pooling, 3);
            assertAllTrained(pooled, Losses.crossEntropy(pooled.logits(input()), rows).backward());
        }
        var perToken = BertClassifier.ofTokens(encoder(), labels, 3);
        assertAllTrained(
                perToken, Losses.crossEntropy(perToken.logits(input()), tokens).backward());
        assertThat(perToken.selection().entries())
                .noneMatch(e -> e.category() == ParamCategory.OTHER);
    }

    private static BertModel encoder() {
        return BertModel.create(TinyModels.config(TinyModels.encoder()), 5);
    }

    @Test
    void recomputedEncodersGiveTheSameGradientsUnderDropout() {
        var model = encoder();
        model.training(true);
        Grads[] grads = new Grads[2];
        for (int i = 0; i < 2; i++) {
            model.checkpointing(i == 1);
            grads[i] = model.hidden(input(), Context.of(Rng.of(7))).square().sum().backward();
        }
        assertThat(model.hidden(input(), Context.of(Rng.of(8))).toFloats())
                .isNotEqualTo(model.hidden(input(), Context.of(Rng.of(7))).toFloats());
        for (Parameter p : model.trainable()) {
            if (!p.name().startsWith("pooler")) {
                assertThat(grads[1].get(p).toFloats()).isEqualTo(grads[0].get(p).toFloats());
            }
        }
    }

    @Test
    void hiddenTokensDoNotCount() {
        var model = encoder();
        var shorter = BertInput.of(List.of(new int[] {3, 4, 5}), 0);
        var filled = BertInput.of(List.of(new int[] {3, 4, 5}, new int[] {1, 2, 3, 4, 5}), 0);
        for (Pooling pooling : Pooling.values()) {
            float[] alone = pooling.pool(model.hidden(shorter), shorter.mask()).toFloats();
            float[] among = pooling.pool(model.hidden(filled), filled.mask()).toFloats();
            for (int i = 0; i < alone.length; i++) {
                assertThat(among[i]).as(pooling.name()).isCloseTo(alone[i], within(1e-4f));
            }
        }
    }

    @Test
    void classifiersSurviveTheirFiles(@TempDir Path folder) {
        var labels = List.of("no", "perhaps", "yes");
        var models =
                Map.of(
                        "pooler", BertClassifier.ofRows(encoder(), labels, 3),
                        "mean", BertClassifier.ofRows(encoder(), labels, Pooling.MEAN, 3),
                        "tokens", BertClassifier.ofTokens(encoder(), labels, 3));
        models.forEach((name, model) -> {
            Path place = folder.resolve(name);
            model.save(place);
            var loaded = BertClassifier.load(place);
            assertThat(loaded.labels()).isEqualTo(labels);
            assertThat(loaded.logits(input()).toFloats())
                    .as(name)
                    .isEqualTo(model.logits(input()).toFloats());
            assertThat(BertModel.load(place).hidden(input()).toFloats())
                    .isEqualTo(model.encoder().hidden(input()).toFloats());
        });
    }
}
