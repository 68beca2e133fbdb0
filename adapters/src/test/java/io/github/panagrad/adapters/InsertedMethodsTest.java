package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.panagrad.engine.AttentionOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.RopeTable;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.Taps;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.io.TensorFiles;
import io.github.panagrad.nn.layers.Embedding;
import io.github.panagrad.nn.layers.Linear;
import io.github.panagrad.nn.models.CausalLM;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;
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

    /// The same for every row, query and head of a batch, some of whose keys are padding and none of whose
    /// queries sees what comes after it.
    @Test
    void aPrefixIsAGatedAdditionUnderPaddingAndACausalMask() {
        int rows = 2;
        int tokens = 5;
        int front = 2;
        int heads = 3;
        int width = 4;
        Rng rng = Rng.of(8);
        Tensor q = Ops.randn(rng, rows, tokens, heads, width).to(DType.F64);
        Tensor k = Ops.randn(rng, rows, tokens, heads, width).to(DType.F64);
        Tensor v = Ops.randn(rng, rows, tokens, heads, width).to(DType.F64);
        Tensor pk = Ops.randn(rng, rows, front, heads, width).to(DType.F64);
        Tensor pv = Ops.randn(rng, rows, front, heads, width).to(DType.F64);
        // The second row has two tokens of padding, one in front of all others and one behind them.
        Tensor seen = Ops.tensor(new float[] {1, 1, 1, 1, 1, 0, 1, 1, 1, 0}, rows, tokens).gt(0.5);
        Tensor all = Ops.ones(rows, front).gt(0.5);
        AttentionOptions causal = AttentionOptions.causal();
        double[] together =
                Ops.attention(
                                q,
                                Ops.concat(1, pk, k),
                                Ops.concat(1, pv, v),
                                causal.keyMask(Ops.concat(1, all, seen)))
                        .toDoubles();
        double[] own = Ops.attention(q, k, v, causal.keyMask(seen)).toDoubles();
        double[] prefix = Ops.attention(q, pk, pv, AttentionOptions.full()).toDoubles();
        boolean[] real = {true, true, true, true, true, false, true, true, true, false};
        int seenGates = 0;
        for (int b = 0; b < rows; b++) {
            for (int t = 0; t < tokens; t++) {
                for (int h = 0; h < heads; h++) {
                    double mass = 0;
                    for (int j = 0; j <= t; j++) {
                        mass += real[b * tokens + j] ? weight(q, k, b, t, j, h) : 0;
                    }
                    double gate = 0;
                    for (int j = 0; j < front; j++) {
                        gate += weight(q, pk, b, t, j, h);
                    }
                    double lambda = gate / (gate + mass);
                    seenGates += lambda > 0 && lambda < 1 ? 1 : 0;
                    for (int d = 0; d < width; d++) {
                        int at = ((b * tokens + t) * heads + h) * width + d;
                        double rest = lambda == 1 ? 0 : (1 - lambda) * own[at];
                        assertThat(together[at])
                                .isCloseTo(rest + lambda * prefix[at], offset(1e-6));
                    }
                }
            }
        }
        // All but those of the token that sees nothing of its own row.
        assertThat(seenGates).isEqualTo((rows * tokens - 1) * heads);
    }

    private static double weight(Tensor q, Tensor k, int row, int query, int key, int head) {
        double dot = 0;
        for (int d = 0; d < q.dim(3); d++) {
            dot += q.at(row, query, head, d) * k.at(row, key, head, d);
        }
        return Math.exp(dot / Math.sqrt(q.dim(3)));
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
    void sequentialIsParallelOnALayerThatChangesNothing() {
        for (var form : Bottleneck.Form.values()) {
            double[][] y = new double[2][];
            for (int arm = 0; arm < 2; arm++) {
                Bottleneck method =
                        arm == 0 ? Bottleneck.sequential(4) : Bottleneck.scaledParallel(4, 1);
                var layer = new Linear(6, 6, false, Init.zeros(), Rng.of(0));
                layer.weight().assign(Ops.eye(6));
                var model = new One(layer);
                randomize(method.form(form).attach(model, "proj"), 6);
                y[arm] = layer.call(Ops.randn(Rng.of(2), 5, 6)).toDoubles();
            }
            assertClose(y[0], y[1], 0);
        }
    }

    /// A model of one linear layer.
    private static final class One extends Module {
        One(Linear layer) {
            register("proj", layer);
        }
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
        double[] expected = behind(model, prompt, TinyModel.ids(3));
        PromptTuning.tokens(prompt.length).text(prompt).attach(model);
        assertClose(logits(model), expected, 1e-5);
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

    /// The keys and values that a text leaves behind are a prefix: after them, a model must say what it says
    /// after the text. That fixes which rows, columns and layers of PEFT's file are which, and where tokens
    /// stand.
    @Test
    void readsPeftsPrefixes(@TempDir Path folder) throws Exception {
        var model = TinyModel.create();
        int[] text = {5, 9};
        Tensor ids = TinyModel.ids(3);
        double[] expected = behind(model, text, ids);
        Tensor before = Ops.indices(text, 1, text.length);
        Tensor values;
        try (var keys = Taps.capture(model, "**.k_proj");
                var own = Taps.capture(model, "**.v_proj")) {
            Ops.noGrad(() -> model.hidden(before));
            var columns = new ArrayList<Tensor>();
            for (int layer = 0; layer < 2; layer++) {
                String path = "model.layers." + layer + ".self_attn.";
                columns.add(turned(model, keys.get(path + "k_proj")));
                columns.add(own.get(path + "v_proj").reshape(text.length, 8));
            }
            values = Ops.concat(1, columns.toArray(Tensor[]::new));
        }
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
        double[] base = logits(model);
        Adapter adapter = Adapter.load(model, folder);
        assertThat(adapter.targets()).hasSize(2);
        assertThat(adapter.parameters().get("adapter.prompt_embeddings").toDoubles())
                .isEqualTo(values.toDoubles());
        assertThat(expected).isNotEqualTo(base);
        assertClose(logits(model), expected, 1e-5);
    }

    /// Turns keys into their positions. Shapes: (1, P, 8) → (P, 8).
    private static Tensor turned(CausalLM model, Tensor keys) {
        int count = keys.dim(1);
        var config = model.config();
        var table = RopeTable.of(config.headDim(), config.rope().theta(), config.maxPositions());
        Tensor heads = keys.reshape(1, count, config.kvHeads(), config.headDim());
        int[] positions = IntStream.range(0, count).toArray();
        return Ops.rope(heads, table, Ops.indices(positions, count)).reshape(count, 8);
    }

    /// Computes the logits of tokens that stand behind some others.
    private static double[] behind(CausalLM model, int[] text, Tensor ids) {
        int rows = ids.dim(0);
        int[] repeated = new int[rows * text.length];
        Arrays.setAll(repeated, i -> text[i % text.length]);
        Tensor longer = Ops.concat(1, Ops.indices(repeated, rows, text.length), ids);
        return Ops.noGrad(() ->
                model.logits(model.hidden(longer).narrow(1, text.length, ids.dim(1))).toDoubles());
    }

    /// The embeddings of a text are a prompt: with them, a model must say what it says after the text.
    @Test
    void readsPeftsPrompts(@TempDir Path folder) throws Exception {
        var model = TinyModel.create();
        int[] text = {7, 1, 7, 20};
        Tensor table = ((Embedding) model.module("model.embed_tokens")).weight().detach();
        TensorFiles.write(
                folder.resolve("adapter_model.safetensors"),
                Map.of("prompt_embeddings", table.indexSelect(0, Ops.indices(text, text.length))),
                Map.of());
        Files.writeString(
                folder.resolve("adapter_config.json"),
                """
                {"peft_type": "PROMPT_TUNING", "task_type": "CAUSAL_LM", "num_virtual_tokens": 4,
                 "token_dim": 16, "num_layers": 2, "prompt_tuning_init": "RANDOM",
                 "prompt_tuning_init_text": null, "tokenizer_name_or_path": null}
                """);
        double[] expected = behind(model, text, TinyModel.ids(3));
        Adapter.load(model, folder);
        assertClose(logits(model), expected, 1e-5);
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
    }
}
