package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.panagrad.engine.AttentionOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.io.TensorFiles;
import io.github.panagrad.nn.models.CausalLM;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Bottleneck adapters, prefixes and prompts (the unified view of He et al., arXiv 2110.04366).
class InsertedMethodsTest {
    private static void randomize(Adapter adapter, long seed) {
        Rng rng = Rng.of(seed);
        for (Parameter p : adapter.parameters().values()) {
            p.assign(Ops.randn(rng, p.shape().toArray()).mul(0.3));
        }
    }

    private static void assertClose(double[] actual, double[] expected, double tolerance) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat(actual[i]).isCloseTo(expected[i], offset(tolerance));
        }
    }

    private static double[] logits(CausalLM model) {
        return TinyModel.logits(model).toDoubles();
    }

    /// Attention over a prefix and the tokens is (1 − λ)·attention(tokens) + λ·attention(prefix), λ
    /// being the prefix's share of the softmax.
    @Test
    void aPrefixIsAGatedAddition() {
        Rng rng = Rng.of(3);
        int tokens = 3;
        int front = 2;
        Tensor q = Ops.randn(rng, 1, 1, 1, 4).to(DType.F64);
        Tensor k = Ops.randn(rng, 1, tokens, 1, 4).to(DType.F64);
        Tensor v = Ops.randn(rng, 1, tokens, 1, 4).to(DType.F64);
        Tensor pk = Ops.randn(rng, 1, front, 1, 4).to(DType.F64);
        Tensor pv = Ops.randn(rng, 1, front, 1, 4).to(DType.F64);
        double own = mass(q, k);
        double prefix = mass(q, pk);
        double lambda = prefix / (own + prefix);
        AttentionOptions full = AttentionOptions.full();
        double[] together =
                Ops.attention(q, Ops.concat(1, pk, k), Ops.concat(1, pv, v), full).toDoubles();
        double[] gated =
                Ops.attention(q, k, v, full)
                        .mul(1 - lambda)
                        .add(Ops.attention(q, pk, pv, full).mul(lambda))
                        .toDoubles();
        assertThat(lambda).isBetween(0.0, 1.0);
        assertClose(together, gated, 1e-6);
    }

    private static double mass(Tensor q, Tensor k) {
        return k.mul(q.expand(k.shape())).sum(-1, false).mul(0.5).exp().sum().item();
    }

    @Test
    void anIdentityBottleneckOnALinearLayerIsLora() {
        PathPattern target = PathPattern.of("model.layers.0.mlp.up_proj");
        var model = TinyModel.create();
        var other = TinyModel.create();
        Adapter bottleneck =
                Bottleneck.scaledParallel(3, 2)
                        .form(Bottleneck.Form.IDENTITY)
                        .attach(model, target);
        Adapter lora = Lora.rank(3).alpha(6).attach(other, target);
        Rng rng = Rng.of(5);
        Tensor down = Ops.randn(rng, 3, 16);
        Tensor up = Ops.randn(rng, 24, 3);
        String path = "model.layers.0.mlp.up_proj.adapter.";
        bottleneck.parameters().get(path + "adapter_down.weight").assign(down);
        bottleneck.parameters().get(path + "adapter_up.weight").assign(up);
        bottleneck.parameters().get(path + "adapter_down.bias").assign(Ops.zeros(3));
        lora.parameters().get(path + "lora_A.weight").assign(down);
        lora.parameters().get(path + "lora_B.weight").assign(up);
        assertClose(logits(model), logits(other), 1e-6);
    }

    @Test
    void aScaleOfZeroIsTheBase() {
        var model = TinyModel.create();
        double[] base = logits(model);
        randomize(Bottleneck.scaledParallel(4, 0).attach(model, "**.mlp"), 1);
        assertClose(logits(model), base, 0);
    }

    /// What a learned prompt does must be what the same embeddings do as tokens in front.
    @Test
    void aPromptOfTokensIsThoseTokens() {
        var model = TinyModel.create();
        int[] prompt = {5, 9, 2};
        Tensor ids = TinyModel.ids(3);
        int rows = ids.dim(0);
        int[] repeated = new int[rows * prompt.length];
        for (int i = 0; i < repeated.length; i++) {
            repeated[i] = prompt[i % prompt.length];
        }
        Tensor longer = Ops.concat(1, Ops.indices(repeated, rows, prompt.length), ids);
        double[] expected =
                Ops.noGrad(() ->
                        model.hidden(longer).narrow(1, prompt.length, ids.dim(1)).toDoubles());
        PromptTuning.tokens(prompt.length).text(prompt).attach(model);
        assertClose(Ops.noGrad(() -> model.hidden(ids).toDoubles()), expected, 1e-5);
    }

    @ParameterizedTest
    @ValueSource(strings = {"prefix", "prompt", "mam", "houlsby"})
    void generatesWithACacheWhatItGeneratesWithout(String name) {
        MethodCase c =
                InsertedMethods.all().filter(m -> m.name().equals(name)).findFirst().orElseThrow();
        var model = TinyModel.create();
        randomize(c.method().attach(model, c.targets()), 2);
        int[] prompt = {1, 2, 3};
        int count = 8;
        int[] cached = model.generate(prompt, Sampling.greedy().maxTokens(count), t -> {});
        int[] all = Arrays.copyOf(prompt, prompt.length + count);
        for (int n = prompt.length; n < all.length; n++) {
            int[] so = Arrays.copyOf(all, n);
            Tensor last = Ops.noGrad(() -> model.hidden(Ops.indices(so, 1, so.length)));
            float[] scores =
                    Ops.noGrad(() -> model.logits(last.narrow(1, so.length - 1, 1)).toFloats());
            int best = 0;
            for (int i = 1; i < scores.length; i++) {
                best = scores[i] > scores[best] ? i : best;
            }
            all[n] = best;
        }
        assertThat(cached).isEqualTo(Arrays.copyOfRange(all, prompt.length, all.length));
    }

    @Test
    void readsPeftsPrefixes(@TempDir Path folder) throws Exception {
        int width = 8;
        Tensor values = Ops.randn(Rng.of(4), 2, 2 * 2 * width);
        TensorFiles.write(
                folder.resolve("adapter_model.safetensors"),
                Map.of("prompt_embeddings", values),
                Map.of());
        Files.writeString(
                folder.resolve("adapter_config.json"),
                """
                {"peft_type": "PREFIX_TUNING", "task_type": "CAUSAL_LM", "num_virtual_tokens": 2,
                 "token_dim": 8, "num_layers": 2, "num_attention_heads": 2,
                 "num_transformer_submodules": 1, "encoder_hidden_size": 16,
                 "prefix_projection": false, "inference_mode": true}
                """);
        var model = TinyModel.create();
        double[] base = logits(model);
        Adapter adapter = Adapter.load(model, folder);
        assertThat(adapter.targets()).hasSize(2);
        assertThat(adapter.parameters().get("adapter.prompt_embeddings").toDoubles())
                .isEqualTo(values.toDoubles());
        assertThat(logits(model)).isNotEqualTo(base);
    }

    @Test
    void readsPeftsPrompts(@TempDir Path folder) throws Exception {
        TensorFiles.write(
                folder.resolve("adapter_model.safetensors"),
                Map.of("prompt_embeddings", Ops.full(DType.F32, Shape.of(4, 16), 0.1)),
                Map.of());
        Files.writeString(
                folder.resolve("adapter_config.json"),
                """
                {"peft_type": "PROMPT_TUNING", "task_type": "CAUSAL_LM", "num_virtual_tokens": 4,
                 "token_dim": 16, "num_layers": 2, "prompt_tuning_init": "RANDOM",
                 "prompt_tuning_init_text": null, "tokenizer_name_or_path": null}
                """);
        var model = TinyModel.create();
        double[] base = logits(model);
        Adapter.load(model, folder);
        assertThat(logits(model)).isNotEqualTo(base).hasSameSizeAs(base);
    }

    @Test
    void saysWhatIsWrong() {
        var model = TinyModel.create();
        assertThatThrownBy(() -> PrefixTuning.tokens(0)).hasMessageContaining("tokens >= 1");
        assertThatThrownBy(() -> PrefixTuning.tokens(2).attach(model, "**.mlp"))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("self_attn");
        assertThatThrownBy(() -> PromptTuning.tokens(2).attach(model, "**.layers.*"))
                .hasMessageContaining("embedding");
        assertThatThrownBy(() -> Bottleneck.parallel(2).attach(model, "model.norm"))
                .hasMessageContaining("no linear layer");
        PrefixTuning.tokens(2).attach(model);
        var packed =
                Batches.of(List.of(Example.of(new int[] {1, 2, 3}), Example.of(new int[] {4, 5})))
                        .size(1)
                        .packed(8)
                        .iterator()
                        .next();
        assertThatThrownBy(() -> model.hidden(packed)).hasMessageContaining("without packing");
    }
}
