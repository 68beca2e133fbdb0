package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.TensorFiles;
import io.github.panagrad.nn.layers.Linear;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoraTest {
    private static final String ALL = "model.layers.**.{q,k,v,o,gate,up,down}_proj";

    private static Adapter trained(CausalLM model, String pattern) {
        var adapter = Lora.rank(3).alpha(6).attach(model, pattern);
        var optimizer = AdamW.of(model.trainable()).lr(0.05);
        for (int step = 0; step < 3; step++) {
            optimizer.step(TinyModel.loss(model).backward());
        }
        return adapter;
    }

    @Test
    void leavesTheModelUnchangedAtFirst() {
        var model = TinyModel.create();
        float[] before = TinyModel.logits(model).toFloats();
        Lora.rank(4).attach(model, ALL);
        assertThat(TinyModel.logits(model).toFloats()).isEqualTo(before);
    }

    @Test
    void trainsItsFactorsAndNothingElse() {
        var model = TinyModel.create();
        Map<String, float[]> before = new LinkedHashMap<>();
        model.stateDict().forEach((name, t) -> before.put(name, t.toFloats()));
        var adapter = Lora.rank(3).attach(model, ALL);
        assertThat(adapter.targets()).hasSize(14);
        assertThat(model.trainable()).hasSize(28);

        var optimizer = AdamW.of(model.trainable()).lr(0.05);
        double first = TinyModel.loss(model).item();
        optimizer.step(TinyModel.loss(model).backward());
        Grads second = TinyModel.loss(model).backward();
        adapter.parameters()
                .forEach((name, p) -> {
                    float[] g = second.get(p).toFloats();
                    double sum = 0;
                    for (float x : g) {
                        assertThat(x).as(name).isFinite();
                        sum += Math.abs(x);
                    }
                    assertThat(sum).as("gradient of %s", name).isPositive();
                });
        optimizer.step(second);
        assertThat(TinyModel.loss(model).item()).isLessThan(first);
        model.stateDict()
                .forEach((name, t) -> assertThat(t.toFloats()).isEqualTo(before.get(name)));
    }

    @Test
    void dropsOnlyInTraining() {
        var model = TinyModel.create();
        trained(model, ALL).detach();
        var adapter = Lora.rank(2).dropout(0.5).attach(model, ALL);
        adapter.parameters().values().forEach(p -> p.assign(p.affine(0, 0.1).detach()));
        float[] plain = TinyModel.logits(model).toFloats();
        assertThat(TinyModel.logits(model).toFloats()).isEqualTo(plain);
        model.training(true);
        assertThat(TinyModel.logits(model).toFloats()).isNotEqualTo(plain);
    }

    @Test
    void savesAndLoadsBitForBit(@TempDir Path folder) {
        var model = TinyModel.create();
        var adapter = trained(model, "**.{q,v}_proj");
        float[] logits = TinyModel.logits(model).toFloats();
        adapter.save(folder.resolve("new/adapter"));

        var config = JsonObject.read(folder.resolve("new/adapter/adapter_config.json"));
        assertThat(config.string("peft_type")).isEqualTo("LORA");
        assertThat(config.integer("r")).isEqualTo(3);
        assertThat(config.integer("lora_alpha")).isEqualTo(6);
        assertThat(config.strings("target_modules")).containsExactly("q_proj", "v_proj");
        assertThat(
                        TensorFiles.read(folder.resolve("new/adapter/adapter_model.safetensors"))
                                .keySet())
                .contains("base_model.model.model.layers.1.self_attn.v_proj.lora_B.weight")
                .hasSize(8);

        var fresh = TinyModel.create();
        Adapter.load(fresh, folder.resolve("new/adapter"));
        assertThat(TinyModel.logits(fresh).toFloats()).isEqualTo(logits);
    }

    @Test
    void namesFullPathsWhereSuffixesWouldMatchMore(@TempDir Path folder) {
        var model = TinyModel.create();
        trained(model, "model.layers.0.**.q_proj").save(folder);
        assertThat(JsonObject.read(folder.resolve("adapter_config.json")).strings("target_modules"))
                .containsExactly("model.layers.0.self_attn.q_proj");
    }

    @Test
    void mergesWithinAHairAndUnmergesBitForBit() {
        var model = TinyModel.create();
        var adapter = trained(model, ALL);
        float[] adapted = TinyModel.logits(model).toFloats();
        Map<String, float[]> weights = new LinkedHashMap<>();
        model.stateDict().forEach((name, t) -> weights.put(name, t.toFloats()));

        double largest = adapter.merge(() -> TinyModel.logits(model));
        assertThat(largest).isLessThan(1e-4);
        assertThat(model.stateDict().get("model.layers.0.mlp.up_proj.weight").toFloats())
                .isNotEqualTo(weights.get("model.layers.0.mlp.up_proj.weight"));
        adapter.unmerge();
        model.stateDict()
                .forEach((name, t) -> assertThat(t.toFloats()).isEqualTo(weights.get(name)));
        assertThat(TinyModel.logits(model).toFloats()).isEqualTo(adapted);

        adapter.mergeAndDetach();
        assertThat(model.modules().keySet()).noneMatch(path -> path.contains("lora_"));
        float[] merged = TinyModel.logits(model).toFloats();
        for (int i = 0; i < merged.length; i++) {
            assertThat((double) merged[i]).isCloseTo(adapted[i], offset(1e-4));
        }
    }

    /// What is on a head that is tied to the embedding is on it alone; merged, it would be on both.
    @Test
    void isNotMergedIntoATiedWeight() {
        var model = TinyModel.create(true);
        float[] embedding = model.stateDict().get("model.embed_tokens.weight").toFloats();
        var adapter = Lora.rank(2).attach(model, "lm_head|**.q_proj");
        adapter.parameters().values().forEach(p -> p.assign(p.affine(0, 0.1).detach()));
        float[] adapted = TinyModel.logits(model).toFloats();
        adapter.enabled(false);
        assertThat(TinyModel.logits(model).toFloats()).isNotEqualTo(adapted);
        adapter.enabled(true);
        assertThatThrownBy(adapter::merge)
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("lm_head")
                .hasMessageContaining("model.embed_tokens")
                .hasMessageContaining("beside the model");
        assertThatThrownBy(adapter::delta).hasMessageContaining("lm_head");
        assertThat(TinyModel.logits(model).toFloats()).isEqualTo(adapted);
        assertThat(model.stateDict().get("model.embed_tokens.weight").toFloats())
                .isEqualTo(embedding);
    }

    @Test
    void keepsTheBaseInItsStorageType() {
        var model = TinyModel.create();
        model.to(DType.BF16);
        var adapter = trained(model, ALL);
        assertThat(model.stateDict().values()).allMatch(t -> t.dtype() == DType.BF16);
        assertThat(adapter.parameters().values()).allMatch(p -> p.dtype() == DType.F32);
        double largest = adapter.merge(() -> TinyModel.logits(model));
        assertThat(largest).isLessThan(1e-4);
        adapter.unmerge();
        assertThat(model.stateDict().values()).allMatch(t -> t.dtype() == DType.BF16);
    }

    @Test
    void readsPeftFiles(@TempDir Path folder) throws Exception {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        String path = "base_model.model.model.layers.1.mlp.down_proj.";
        Rng rng = Rng.of(11);
        Tensor a = Ops.randn(rng, 2, 24);
        Tensor b = Ops.randn(rng, 16, 2);
        tensors.put(path + "lora_A.weight", a);
        tensors.put(path + "lora_B.weight", b);
        TensorFiles.write(folder.resolve("adapter_model.safetensors"), tensors, Map.of());
        Files.writeString(
                folder.resolve("adapter_config.json"),
                """
                {"alpha_pattern": {"down_proj": 8}, "auto_mapping": null, "bias": "none",
                 "base_model_name_or_path": "x/y", "fan_in_fan_out": false, "inference_mode": true,
                 "init_lora_weights": true, "lora_alpha": 4, "lora_dropout": 0.0,
                 "modules_to_save": null, "peft_type": "LORA", "r": 2, "rank_pattern": {},
                 "target_modules": ["down_proj"], "task_type": "CAUSAL_LM", "use_rslora": true}
                """);
        var model = TinyModel.create();
        var adapter = Adapter.load(model, folder);
        assertThat(adapter.targets()).containsExactly("model.layers.1.mlp.down_proj");
        var lora = (Lora) adapter.method();
        double scale = 8 / Math.sqrt(2);
        assertThat(lora.scale(adapter.targets().getFirst())).isCloseTo(scale, offset(1e-12));
        Linear layer = (Linear) model.module("model.layers.1.mlp.down_proj");
        Tensor x = Ops.randn(rng, 3, 24);
        Tensor y = layer.call(x);
        for (int row = 0; row < 3; row++) {
            for (int out = 0; out < 16; out++) {
                double sum = 0;
                for (int in = 0; in < 24; in++) {
                    double change = b.at(out, 0) * a.at(0, in) + b.at(out, 1) * a.at(1, in);
                    sum += x.at(row, in) * (layer.weight().at(out, in) + scale * change);
                }
                assertThat(y.at(row, out)).isCloseTo(sum, offset(1e-4));
            }
        }
    }

    @Test
    void namesWhatDoesNotFit(@TempDir Path folder) {
        var model = TinyModel.create();
        assertThatThrownBy(() -> Lora.rank(2).attach(model, "**.query_proj"))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("query_proj");
        assertThatThrownBy(() -> Lora.rank(0)).hasMessageContaining("rank >= 1");
        assertThatThrownBy(() -> Adapter.load(model, folder.resolve("nowhere")))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("adapter_config.json");
        trained(model, "**.q_proj").save(folder);
        assertThatThrownBy(() -> Lora.rank(2).attach(model, "**.q_proj"))
                .hasMessageContaining("taken");
        JsonObject config = JsonObject.read(folder.resolve("adapter_config.json"));
        config.with("peft_type", "NONE_SUCH").write(folder.resolve("adapter_config.json"));
        assertThatThrownBy(() -> Adapter.load(TinyModel.create(), folder))
                .hasMessageContaining("LORA");
        config.with("use_dora", true).write(folder.resolve("adapter_config.json"));
        assertThatThrownBy(() -> Adapter.load(TinyModel.create(), folder))
                .hasMessageContaining("lora_magnitude_vector");
    }
}
