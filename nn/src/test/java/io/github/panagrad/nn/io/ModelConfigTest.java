package io.github.panagrad.nn.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Assets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelConfigTest {
    private static final JsonObject SMALL =
            JsonObject.parse(
                    "config.json",
                    """
                    {"model_type": "llama", "vocab_size": 512, "hidden_size": 64,
                     "intermediate_size": 172, "num_hidden_layers": 5, "num_attention_heads": 8,
                     "max_position_embeddings": 512}\
                    """);

    @TempDir Path folder;

    private static LlamaConfig llama(JsonObject json) {
        return (LlamaConfig) ModelConfig.of(json);
    }

    /// Sets fields given as the inside of a JSON object.
    private static JsonObject with(JsonObject base, String fields) {
        JsonObject changes = JsonObject.parse("t", "{" + fields + "}");
        for (String name : changes.names()) {
            base = base.with(name, changes.get(name));
        }
        return base;
    }

    @Test
    void fillsInTheDefaultsOfLlama() {
        var config = llama(SMALL);
        assertThat(config.modelType()).isEqualTo("llama");
        assertThat(config.kvHeads()).isEqualTo(8);
        assertThat(config.headDim()).isEqualTo(8);
        assertThat(config.rmsNormEps()).isEqualTo(1e-6);
        assertThat(config.rope()).isEqualTo(new RopeConfig(10000, new RopeConfig.None()));
        assertThat(config.activation()).isEqualTo(Activation.SILU);
        assertThat(config.tieEmbeddings()).isFalse();
        assertThat(config.qkvBias()).isFalse();
        assertThat(config.outputBias()).isFalse();
        assertThat(config.mlpBias()).isFalse();
        assertThat(config.qkNorm()).isFalse();
        assertThat(config.windows()).containsOnly(0).hasSize(5);
        assertThat(config.bosId()).isEmpty();
        assertThat(config.eosIds()).isEmpty();
        assertThat(config.labels()).isEmpty();
    }

    @Test
    void readsWhatLlamaCanSay() {
        var config =
                llama(
                        with(
                                SMALL,
                                """
                                "num_key_value_heads": 2, "head_dim": 16, "attention_bias": true,
                                "mlp_bias": true, "tie_word_embeddings": true, "rope_theta": 5e5,
                                "hidden_act": "gelu_pytorch_tanh", "bos_token_id": 1,
                                "eos_token_id": [2, 3], "pad_token_id": -1,
                                "id2label": {"0": "no", "1": "yes"}\
                                """));
        assertThat(config.kvHeads()).isEqualTo(2);
        assertThat(config.headDim()).isEqualTo(16);
        assertThat(config.qkvBias()).isTrue();
        assertThat(config.outputBias()).isTrue();
        assertThat(config.mlpBias()).isTrue();
        assertThat(config.tieEmbeddings()).isTrue();
        assertThat(config.rope().theta()).isEqualTo(500000);
        assertThat(config.activation()).isEqualTo(Activation.GELU_TANH);
        assertThat(config.bosId()).isEqualTo(OptionalInt.of(1));
        assertThat(config.eosIds()).containsExactly(2, 3);
        assertThat(config.padId()).isEmpty();
        assertThat(config.labels()).containsExactly("no", "yes");
    }

    @Test
    void readsEveryFormOfRopeScaling() {
        String llama3 =
                """
                "factor": 32, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                "original_max_position_embeddings": 8192\
                """;
        var expected = new RopeConfig.Llama3(32, 1, 4, 8192);
        assertThat(rope("\"rope_scaling\": {\"rope_type\": \"llama3\", " + llama3 + "}").scaling())
                .isEqualTo(expected);
        var nested =
                rope(
                        "\"rope_parameters\": {\"rope_type\": \"llama3\", \"rope_theta\": 5e5, "
                                + llama3
                                + "}");
        assertThat(nested).isEqualTo(new RopeConfig(500000, expected));
        assertThat(rope("\"rope_scaling\": {\"type\": \"linear\", \"factor\": 4}").scaling())
                .isEqualTo(new RopeConfig.Linear(4));
        assertThat(rope("\"rope_scaling\": null").scaling()).isEqualTo(new RopeConfig.None());
        assertThat(rope("\"rope_scaling\": {\"rope_type\": \"default\"}").scaling())
                .isEqualTo(new RopeConfig.None());
        assertThat(rope("\"rope_parameters\": {\"rope_theta\": 1e6}"))
                .isEqualTo(new RopeConfig(1e6, new RopeConfig.None()));
    }

    private static RopeConfig rope(String fields) {
        return llama(with(SMALL, fields)).rope();
    }

    @Test
    void knowsWhichBiasesAndNormsAMemberHas() {
        String base = "\"num_key_value_heads\": 4, \"head_dim\": 8, \"model_type\": ";
        var qwen2 = llama(with(SMALL, base + "\"qwen2\""));
        assertThat(qwen2.qkvBias()).isTrue();
        assertThat(qwen2.outputBias()).isFalse();
        assertThat(qwen2.qkNorm()).isFalse();
        var qwen3 = llama(with(SMALL, base + "\"qwen3\""));
        assertThat(qwen3.qkvBias()).isFalse();
        assertThat(qwen3.qkNorm()).isTrue();
        assertThat(llama(with(SMALL, base + "\"qwen3\", \"attention_bias\": true")).outputBias())
                .isTrue();
        var mistral = llama(with(SMALL, base + "\"mistral\", \"attention_bias\": true"));
        assertThat(mistral.qkvBias()).isFalse();
        var noCount = with(SMALL, "\"model_type\": \"mistral\", \"num_attention_heads\": 16");
        assertThat(llama(noCount).kvHeads()).isEqualTo(8);
        var qwen3NoDim = with(SMALL, "\"model_type\": \"qwen3\", \"num_key_value_heads\": 4");
        assertThat(llama(qwen3NoDim).headDim()).isEqualTo(128);
    }

    @Test
    void findsTheWindowOfEachLayer() {
        assertThat(llama(with(SMALL, "\"sliding_window\": 16")).windows()).containsOnly(0);
        String mistral = "\"model_type\": \"mistral\", \"sliding_window\": ";
        assertThat(llama(with(SMALL, mistral + "16")).windows()).containsOnly(16);
        assertThat(llama(with(SMALL, mistral + "null")).windows()).containsOnly(0);
        String qwen =
                "\"model_type\": \"qwen2\", \"num_key_value_heads\": 8, \"sliding_window\": 16, ";
        assertThat(llama(with(SMALL, qwen + "\"use_sliding_window\": false")).windows())
                .containsOnly(0);
        var some =
                llama(with(SMALL, qwen + "\"use_sliding_window\": true, \"max_window_layers\": 3"));
        assertThat(some.windows()).containsExactly(0, 0, 0, 16, 16);
        assertThat(some.window(3)).isEqualTo(16);
        String types =
                "\"layer_types\": [\"full_attention\", \"sliding_attention\", \"full_attention\","
                        + " \"full_attention\", \"sliding_attention\"]";
        assertThat(llama(with(SMALL, qwen + "\"use_sliding_window\": true, " + types)).windows())
                .containsExactly(0, 16, 0, 0, 16);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"model_type\": \"gpt2\" | model_type is not supported; got gpt2;"
                        + " expected one of llama, mistral, qwen2, qwen3, bert",
                "\"model_type\": null | no field model_type",
                "\"hidden_size\": null | no field hidden_size",
                "\"hidden_size\": \"64\" | hidden_size is of the wrong type; got 64",
                "\"hidden_size\": 0 | hidden_size is out of range; got 0",
                "\"num_hidden_layers\": 100000000 | num_hidden_layers is out of range; got 100000000",
                "\"hidden_size\": 65 | hidden_size is not a multiple of num_attention_heads;"
                        + " got hidden_size 65 and num_attention_heads 8",
                "\"num_key_value_heads\": 3 | num_attention_heads is not a multiple of"
                        + " num_key_value_heads; got num_attention_heads 8 and num_key_value_heads 3",
                "\"head_dim\": 7 | head cannot be paired for rotary positions; got head_dim 7",
                "\"rms_norm_eps\": 0 | rms_norm_eps is not positive",
                "\"hidden_act\": \"mish\" | hidden_act is not supported; got mish; expected one of silu",
                "\"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 2} | rope_scaling.rope_type is"
                        + " not supported; got yarn; expected one of default, linear, llama3",
                "\"rope_scaling\": {\"type\": \"linear\"} | no field rope_scaling.factor",
                "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 0} | rope_scaling.factor is out of",
                "\"rope_scaling\": [] | rope_scaling is of the wrong type",
                "\"rope_parameters\": {\"full_attention\": {}} |"
                        + " rope_parameters.full_attention is not supported",
                "\"partial_rotary_factor\": 0.5 | partial_rotary_factor is not supported; got 0.5",
                "\"attention_dropout\": 1 | attention_dropout is not a dropout rate",
                "\"quantization_config\": {\"bits\": 4} | quantization_config is not supported",
                "\"eos_token_id\": \"</s>\" | eos_token_id is of the wrong type",
                "\"id2label\": {\"1\": \"a\"} | id2label has no label 0",
                "\"tie_word_embeddings\": 1 | tie_word_embeddings is of the wrong type",
            })
    void refusesWhatCannotBeBuilt(String fields, String message) {
        assertThatThrownBy(() -> ModelConfig.of(with(SMALL, fields)))
                .isInstanceOf(PanagradException.class)
                .hasMessageStartingWith("config.json: ")
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
    }

    @Test
    void readsBert() {
        var json =
                JsonObject.parse(
                        "config.json",
                        """
                        {"model_type": "bert", "vocab_size": 100, "hidden_size": 12,
                         "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3,
                         "max_position_embeddings": 16, "hidden_dropout_prob": 0.2}\
                        """);
        var config = (BertConfig) ModelConfig.of(json);
        assertThat(config.headDim()).isEqualTo(4);
        assertThat(config.typeVocabSize()).isEqualTo(2);
        assertThat(config.layerNormEps()).isEqualTo(1e-12);
        assertThat(config.activation()).isEqualTo(Activation.GELU);
        assertThat(config.classifierDropout()).isEqualTo(0.2);
        assertThat(config.padId()).isZero();
        assertThatThrownBy(() -> ModelConfig.of(json.with("num_attention_heads", 5)))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("hidden_size is not a multiple of num_attention_heads");
        assertThatThrownBy(
                        () -> ModelConfig.of(json.with("position_embedding_type", "relative_key")))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("position_embedding_type is not supported; got relative_key");
        assertThatThrownBy(() -> ModelConfig.of(json.with("is_decoder", true)))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("is_decoder is not supported; got true; expected false");
    }

    @Test
    void writesBackWhatItReadWithUnknownFields() throws Exception {
        var json =
                with(SMALL, "\"architectures\": [\"LlamaForCausalLM\"], \"custom\": {\"a\": 1e-5}");
        var config = ModelConfig.of(json);
        config.save(folder.resolve("out"));
        var again = ModelConfig.read(folder.resolve("out"));
        assertThat(again).isEqualTo(config);
        assertThat(again.json().names()).containsExactlyElementsOf(json.names());
        assertThat(Files.readString(folder.resolve("out/config.json"))).contains("\"custom\" : {");
        var shorter = ModelConfig.of(again.json().with("num_hidden_layers", 2));
        assertThat(shorter.layers()).isEqualTo(2);
    }

    @Test
    void readsTheConfigsOfTheAssets() {
        var tiny = (LlamaConfig) ModelConfig.read(Assets.require("models/stories260k"));
        assertThat(tiny.layers()).isEqualTo(5);
        assertThat(tiny.kvHeads()).isEqualTo(4);
        assertThat(tiny.tieEmbeddings()).isTrue();
        assertThat(tiny.eosIds()).isEqualTo(List.of(2));
        var small = (LlamaConfig) ModelConfig.read(Assets.require("models/stories15m"));
        assertThat(small.vocabSize()).isEqualTo(32000);
        assertThat(small.headDim()).isEqualTo(48);
        var bert = (BertConfig) ModelConfig.read(Assets.require("models/all-minilm-l6-v2"));
        assertThat(bert.hiddenSize()).isEqualTo(384);
        assertThat(bert.maxPositions()).isEqualTo(512);
    }
}
