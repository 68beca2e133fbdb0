package io.github.panagrad.nn.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.SmallTokenizer;
import io.github.panagrad.nn.TinyModels;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.TensorFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What can be wrong with a model's folder, and what a whole one can do.
class ModelFolderTest {
    private static final JsonObject CONFIG =
            TinyModels.decoder("llama").with("vocab_size", 259).with("torch_dtype", "bfloat16");

    @TempDir Path folder;

    private CausalLM model;

    @BeforeEach
    void save() {
        model = CausalLM.create(TinyModels.config(CONFIG), 5);
        model.tokenizer(SmallTokenizer.in(folder.resolve("tokenizer")));
        model.save(folder);
    }

    private void rewrite(Map<String, ? extends Tensor> weights) {
        TensorFiles.write(folder.resolve("model.safetensors"), weights, Map.of());
    }

    @Test
    void configNamesTheTypeThatWasWritten() {
        assertThat(JsonObject.read(folder.resolve("config.json")).string("torch_dtype"))
                .isEqualTo("float32");
        model.to(DType.BF16);
        model.save(folder);
        assertThat(JsonObject.read(folder.resolve("config.json")).string("torch_dtype"))
                .isEqualTo("bfloat16");
        var loaded = CausalLM.load(folder);
        assertThat(loaded.trainable()).isEmpty();
        assertThat(loaded.head().dtype()).isEqualTo(DType.BF16);
    }

    @Test
    void missingAndUnexpectedTensorsAreNamed() {
        var weights = new LinkedHashMap<String, Tensor>(model.stateDict());
        weights.put("surplus", weights.remove("model.layers.1.mlp.up_proj.weight"));
        rewrite(weights);
        assertThatThrownBy(() -> CausalLM.load(folder))
                .isInstanceOf(PanagradException.class)
                .hasMessageStartingWith(folder + ": load: the tensors are not those of the model")
                .hasMessageContaining("1 missing: model.layers.1.mlp.up_proj.weight")
                .hasMessageContaining("1 unexpected: surplus");
    }

    @Test
    void shapesThatContradictTheConfigAreNamed() {
        CONFIG.with("intermediate_size", 25).write(folder.resolve("config.json"));
        assertThatThrownBy(() -> CausalLM.load(folder))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining(
                        "tensor model.layers.0.mlp.gate_proj.weight has a shape that the model"
                                + " contradicts; got [24,16]; expected [25,16]");
    }

    @Test
    void tokenizersWithMoreIdsThanRowsAreRefused() {
        var small = CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), 5);
        small.save(folder);
        assertThatThrownBy(() -> CausalLM.load(folder))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining(
                        "the tokenizer has more ids than the embedding has rows; got 259 ids;"
                                + " expected at most 23");
    }

    @Test
    void familiesAreNotMixedUp() {
        assertThatThrownBy(() -> BertModel.load(folder))
                .hasMessageContaining("encoder: not an encoder; got model_type llama");
        TinyModels.encoder().write(folder.resolve("config.json"));
        assertThatThrownBy(() -> CausalLM.load(folder))
                .hasMessageContaining("not a causal language model; got model_type bert");
    }

    @Test
    void oldBuffersAreSkipped() {
        var weights = new LinkedHashMap<String, Tensor>(model.stateDict());
        weights.put("model.layers.0.self_attn.rotary_emb.inv_freq", weights.get("lm_head.weight"));
        rewrite(weights);
        assertThat(CausalLM.load(folder).parameterCount()).isEqualTo(model.parameterCount());
    }

    @Test
    void textStreamsAndAddsUp() {
        var loaded = CausalLM.load(folder);
        var sampling = Sampling.temperature(1).seed(4).maxTokens(12);
        var pieces = new ArrayList<String>();
        String text = loaded.generate("he said", sampling, pieces::add);
        assertThat(String.join("", pieces)).isEqualTo(text).isNotEmpty();
        assertThat(loaded.generate("he said", sampling, piece -> {})).isEqualTo(text);
        assertThat(loaded.generate("he said", sampling.seed(5), piece -> {})).isNotEqualTo(text);
    }

    @Test
    void generationStopsAtItsTokens() {
        int[] prompt = {1, 2, 3};
        int[] free = model.generate(prompt, Sampling.greedy().maxTokens(5), id -> {});
        assertThat(free).hasSize(5);
        int[] cut =
                model.generate(prompt, Sampling.greedy().maxTokens(5).stopToken(free[0]), id -> {});
        assertThat(cut).isEmpty();
        CONFIG.with("eos_token_id", free[0]).write(folder.resolve("config.json"));
        assertThat(CausalLM.load(folder).generate(prompt, Sampling.greedy(), id -> {})).isEmpty();
    }

    @Test
    void twinsShareWeightsAndStayFrozen() {
        var twin = model.twin();
        assertThat(twin.trainable()).isEmpty();
        Tensor ids = TinyModels.ids(1, 1, 5);
        assertThat(twin.hidden(ids).toFloats()).isEqualTo(model.hidden(ids).toFloats());
        assertThat(twin.head().storage()).isSameAs(model.head().storage());
        assertThat(model.trainableCount()).isEqualTo(model.parameterCount());
    }
}
