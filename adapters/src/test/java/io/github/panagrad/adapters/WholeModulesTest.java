package io.github.panagrad.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.TensorFiles;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.optim.AdamW;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeModulesTest {
    private static final PathPattern HEAD = PathPattern.of("lm_head|model.norm");

    private static Adapter trained(CausalLM model) {
        Adapter adapter = Lora.rank(2).attach(model, "**.q_proj").trainWhole(HEAD);
        var optimizer = AdamW.of(model.trainable()).lr(1e-2);
        for (int i = 0; i < 2; i++) {
            optimizer.step(TinyModel.loss(model).backward());
        }
        return adapter;
    }

    @Test
    void trainsThemBesideTheAdapter() {
        var plain = TinyModel.create();
        var model = TinyModel.create();
        Adapter adapter = trained(model);
        assertThat(adapter.whole()).containsOnlyKeys("model.norm", "lm_head");
        assertThat(model.head().toDoubles()).isNotEqualTo(plain.head().toDoubles());
        assertThat(model.parameters().get("lm_head.weight").isTrainable()).isTrue();
        assertThat(model.parameters().get("model.embed_tokens.weight").isTrainable()).isFalse();
    }

    @Test
    void savesThemAsPeftDoes(@TempDir Path folder) {
        var model = TinyModel.create();
        trained(model).save(folder);
        assertThat(TensorFiles.read(folder.resolve("adapter_model.safetensors")))
                .containsKeys(
                        "base_model.model.lm_head.weight", "base_model.model.model.norm.weight");
        JsonObject config = JsonObject.read(folder.resolve("adapter_config.json"));
        assertThat(config.strings("modules_to_save")).containsExactly("model.norm", "lm_head");

        var other = TinyModel.create();
        Adapter loaded = Adapter.load(other, folder);
        assertThat(TinyModel.logits(other).toDoubles())
                .isEqualTo(TinyModel.logits(model).toDoubles());
        assertThat(loaded.whole()).containsOnlyKeys("model.norm", "lm_head");
        assertThat(other.parameters().get("lm_head.weight").isTrainable()).isTrue();
    }

    @Test
    void readsNamesOfLastSegments(@TempDir Path folder) {
        var model = TinyModel.create();
        trained(model).save(folder);
        Path config = folder.resolve("adapter_config.json");
        JsonObject.read(config).with("modules_to_save", List.of("norm", "lm_head")).write(config);
        var other = TinyModel.create();
        Adapter.load(other, folder);
        assertThat(TinyModel.logits(other).toDoubles())
                .isEqualTo(TinyModel.logits(model).toDoubles());
    }

    @Test
    void namesWhatDoesNotFit(@TempDir Path folder) {
        var model = TinyModel.create();
        Adapter adapter = trained(model);
        assertThatThrownBy(() -> adapter.trainWhole(PathPattern.of("**.self_attn")))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("trained whole and adapted");
        assertThatThrownBy(() -> adapter.trainWhole(PathPattern.of("score")))
                .hasMessageContaining("matches none");
        adapter.save(folder);
        var other = TinyModel.create();
        Adapter plain = Lora.rank(2).attach(other, "**.q_proj");
        assertThatThrownBy(() -> plain.replace(folder)).hasMessageContaining("lm_head");
        Path config = folder.resolve("adapter_config.json");
        JsonObject.read(config).with("modules_to_save", List.of("score")).write(config);
        assertThatThrownBy(() -> Adapter.load(TinyModel.create(), folder))
                .hasMessageContaining("no module score");
    }
}
