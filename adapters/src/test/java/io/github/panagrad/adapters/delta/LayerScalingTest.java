package io.github.panagrad.adapters.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.adapters.Lora;
import io.github.panagrad.adapters.TinyModel;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.models.BertModel;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LayerScalingTest {
    private static final String LINEARS = "model.layers.**_proj";

    /// A change of every parameter of a model.
    private static Delta full(CausalLM model, long seed) {
        var rng = Rng.of(seed);
        var changes = new LinkedHashMap<String, TensorDelta>();
        model.stateDict()
                .forEach((path, t) ->
                        changes.put(
                                path,
                                DenseDelta.of(Ops.randn(rng, t.shape().toArray()).mul(0.05))));
        return Delta.of(changes);
    }

    private static void assertClose(float[] actual, float[] expected, double tolerance) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat((double) actual[i]).isCloseTo(expected[i], within(tolerance));
        }
    }

    private static float[] values(Delta delta, String path) {
        TensorDelta change = delta.changes().get(path);
        assertThat(change).as(path).isNotNull();
        return change.dense().toFloats();
    }

    @Test
    void oneAndZeroLeaveTheChangeOrTheBase() {
        CausalLM model = TinyModel.create();
        Delta delta = full(model, 1);
        Delta whole = LayerScaling.linear(1, 0).apply(delta, model.selection());
        delta.changes()
                .keySet()
                .forEach(p -> assertThat(values(whole, p)).isEqualTo(values(delta, p)));

        Map<String, float[]> base = new LinkedHashMap<>();
        model.stateDict().forEach((path, t) -> base.put(path, t.toFloats()));
        LayerScaling.linear(0, 0).apply(delta, model.selection()).apply(model);
        model.stateDict()
                .forEach((path, t) -> {
                    assertThat(Arrays.equals(t.toFloats(), base.get(path))).as(path).isTrue();
                });
    }

    @Test
    void risesFromTheFirstBlockToTheLast() {
        var scaling = LayerScaling.linear(.25, .75);
        double[] factors = new double[6];
        Arrays.setAll(factors, l -> scaling.factor(l, 6));
        assertThat(factors).containsExactly(new double[] {.25, .4, .55, .7, .85, 1}, within(1e-12));
        assertThat(scaling.factor(0, 1)).isEqualTo(1);
    }

    @Test
    void headAndOutsideHaveFactorsOfTheirOwn() {
        CausalLM model = TinyModel.create();
        var factors = LayerScaling.linear(.2, .8).head(1).factors(model.selection());
        assertThat(factors)
                .containsEntry("lm_head.weight", 1.0)
                .containsEntry("model.embed_tokens.weight", .2)
                .containsEntry("model.norm.weight", .2)
                .containsEntry("model.layers.0.mlp.up_proj.weight", .2)
                .containsEntry("model.layers.1.mlp.up_proj.weight", 1.0);
        assertThat(LayerScaling.linear(.2, .8).outside(.5).factors(model.selection()))
                .containsEntry("lm_head.weight", .5);
        assertThatThrownBy(() -> LayerScaling.linear(Double.NaN, 0)).hasMessageContaining("finite");
    }

    @Test
    void scalesAnAdapterByItsStrengthsAsItsChange() {
        CausalLM model = TinyModel.create();
        Adapter adapter = Lora.rank(3).seed(2).attach(model, LINEARS);
        var optimizer = AdamW.of(model.trainable()).lr(0.05);
        for (int step = 0; step < 3; step++) {
            optimizer.step(TinyModel.loss(model).backward());
        }
        float[] unscaled = TinyModel.logits(model).toFloats();
        var scaling = LayerScaling.linear(.3, .6);
        Delta dense = adapter.delta().map(d -> DenseDelta.of(d.dense()));
        adapter.layerStrengths(scaling.layerFactors(adapter.targets(), model.selection()));
        float[] byStrength = TinyModel.logits(model).toFloats();
        assertThat(byStrength).isNotEqualTo(unscaled);
        adapter.enabled(false);
        scaling.apply(dense, model.selection()).apply(model);
        assertClose(TinyModel.logits(model).toFloats(), byStrength, 1e-5);
        assertThatThrownBy(() -> scaling.layerFactors(List.of("x"), model.selection()))
                .hasMessageContaining("x.weight");
    }

    @Test
    void isLinear() {
        CausalLM model = TinyModel.create();
        Delta delta = full(model, 3);
        ParamSelection all = model.selection();
        var scaling = LayerScaling.linear(.3, .6);
        Delta before = scaling.apply(delta.times(3), all);
        Delta after = scaling.apply(delta, all).times(3);
        delta.changes()
                .keySet()
                .forEach(p -> assertClose(values(before, p), values(after, p), 1e-6));
    }

    @Test
    void aMergeGetsTheLengthOfTheMean() {
        CausalLM model = TinyModel.create();
        List<Delta> deltas = List.of(full(model, 1), full(model, 2), full(model, 3));
        Delta sum = Merge.sum(deltas);
        assertThat(LayerScaling.forMerge(sum, deltas, .5).alpha()).isCloseTo(1 / 3.0, within(1e-9));
        // The largest entries of the sum that make up half of its Σ|τ|: α = 2/T.
        var a = Delta.of(Map.of("w", DenseDelta.of(Ops.tensor(2, 1, 1, 0))));
        var b = Delta.of(Map.of("w", DenseDelta.of(Ops.tensor(2, 1, 0, 1))));
        var half = Delta.of(Map.of("w", DenseDelta.of(Ops.tensor(4, 0, 0, 0))));
        LayerScaling merged = LayerScaling.forMerge(half, List.of(a, b), .5);
        assertThat(merged.alpha()).isCloseTo(2 / 2.0, within(1e-9));
        assertThat(merged.beta()).isEqualTo(.5);
        assertThatThrownBy(() -> LayerScaling.forMerge(half.times(0), List.of(a, b), .5))
                .hasMessageContaining("zero");
    }

    /// Every parameter lies in exactly one block or outside, in every family of models.
    @Test
    void classifiesEveryParameterOfEveryFamily() {
        for (String family : List.of("llama", "mistral", "qwen2", "qwen3")) {
            var config =
                    JsonObject.of(
                            "model_type", family,
                            "vocab_size", 23,
                            "hidden_size", 16,
                            "intermediate_size", 24,
                            "num_hidden_layers", 12,
                            "num_attention_heads", 4,
                            "num_key_value_heads", 2,
                            "max_position_embeddings", 32,
                            "tie_word_embeddings", false);
            CausalLM model = CausalLM.create(ModelConfig.of(config), 1);
            assertClassified(model, model.selection(), "model.layers.", 12);
        }
        var bert =
                JsonObject.of(
                        "model_type", "bert",
                        "vocab_size", 23,
                        "hidden_size", 16,
                        "intermediate_size", 24,
                        "num_hidden_layers", 12,
                        "num_attention_heads", 4,
                        "max_position_embeddings", 32);
        BertModel model = BertModel.create(ModelConfig.of(bert), 1);
        assertClassified(model, model.selection(), "encoder.layer.", 12);
    }

    private static void assertClassified(
            Module model, ParamSelection all, String blocks, int count) {
        Map<String, Double> factors = new LayerScaling(0, count - 1.0, -1, -2).factors(all);
        assertThat(factors.keySet()).isEqualTo(model.parameters().keySet());
        factors.forEach((path, factor) -> {
            if (path.startsWith(blocks)) {
                String number = path.substring(blocks.length()).split("\\.")[0];
                assertThat(factor).as(path).isCloseTo(Integer.parseInt(number), within(1e-9));
            } else {
                assertThat(factor).as(path).isNegative();
            }
        });
    }

    @Test
    void searchesAlongTheGridAndLeavesTheModel() {
        CausalLM model = TinyModel.create();
        Delta delta = full(model, 5);
        float[] before = TinyModel.logits(model).toFloats();
        float[] wanted;
        try (AppliedDelta _ =
                LayerScaling.linear(.4, .6).apply(delta, model.selection()).apply(model)) {
            wanted = TinyModel.logits(model).toFloats();
        }
        // The target is met best at α = 0.4; the control does not care.
        var search =
                ScalingSearch.run(
                        model,
                        model.selection(),
                        delta,
                        () -> Math.exp(-distance(TinyModel.logits(model).toFloats(), wanted)),
                        () -> 1,
                        ScalingSearch.TARGET_WEIGHT);
        assertThat(search.rows()).hasSize(11);
        assertThat(search.best().scaling().alpha()).isCloseTo(.4, within(1e-9));
        assertThat(search.best().scaling().beta()).isCloseTo(.6, within(1e-9));
        ScalingSearch.Row last = search.rows().getLast();
        assertThat(last.worth()).isCloseTo(2 + 1, within(1e-6));
        assertThat(search.toString()).contains("<- best");
        assertThat(TinyModel.logits(model).toFloats()).isEqualTo(before);
        assertThatThrownBy(() ->
                        ScalingSearch.run(model, model.selection(), delta, () -> -1, () -> 1, 2))
                .hasMessageContaining("target score is not above 0");
    }

    private static double distance(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += Math.abs(a[i] - b[i]);
        }
        return sum / a.length;
    }
}
