package io.github.panagrad.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.models.BertModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ContrastiveTuningTest {
    private static final List<String> WORDS =
            List.of("[PAD]", "[UNK]", "red", "green", "blue", "cat", "dog", "hen", "the", "a");

    @TempDir private static Path encoder;

    /// An encoder that knows ten words and nothing about them.
    @BeforeAll
    static void writeEncoder() {
        var vocabulary = new LinkedHashMap<String, Object>();
        WORDS.forEach(word -> vocabulary.put(word, vocabulary.size()));
        BertModel.create(
                        ModelConfig.of(
                                JsonObject.of(
                                        "model_type", "bert",
                                        "vocab_size", WORDS.size(),
                                        "hidden_size", 16,
                                        "intermediate_size", 24,
                                        "num_hidden_layers", 2,
                                        "num_attention_heads", 4,
                                        "max_position_embeddings", 32,
                                        "type_vocab_size", 2,
                                        "hidden_act", "gelu",
                                        "hidden_dropout_prob", 0.0,
                                        "initializer_range", 0.2)),
                        5)
                .save(encoder);
        JsonObject.of(
                        "version",
                        "1.0",
                        "pre_tokenizer",
                        JsonObject.of("type", "Whitespace"),
                        "model",
                        JsonObject.of(
                                "type",
                                "WordLevel",
                                "vocab",
                                JsonObject.of(vocabulary),
                                "unk_token",
                                "[UNK]"))
                .write(encoder.resolve("tokenizer.json"));
    }

    private static LabelledTexts texts() {
        var texts = new ArrayList<String>();
        var names = new ArrayList<String>();
        for (String article : List.of("the", "a")) {
            for (String word : WORDS.subList(2, 8)) {
                texts.add(article + " " + word);
                names.add(WORDS.indexOf(word) < 5 ? "colour" : "animal");
            }
        }
        return new LabelledTexts(texts, names);
    }

    @ParameterizedTest
    @EnumSource
    void everyArmLearnsAndIsMeasured(ContrastiveTuning.Arm arm) {
        var demo = new ContrastiveTuning(encoder, texts(), texts(), 25, 8, 5e-3);
        ContrastiveTuning.Result result = demo.run(arm, 3);

        assertThat(result.accuracy()).isEqualTo(1);
        assertThat(result.macroF1()).isEqualTo(1);
        assertThat(result.spread()).isBetween(0.0, 1.0);
        boolean layers = arm.name().startsWith("LAYERS");
        assertThat(result.layerWeights()).hasSize(layers ? 2 : 0);
    }

    @Test
    void sameSeedSameFigures() {
        var demo = new ContrastiveTuning(encoder, texts(), texts(), 5, 8, 5e-3);

        assertThat(demo.run(ContrastiveTuning.Arm.CORE, 3))
                .isEqualTo(demo.run(ContrastiveTuning.Arm.CORE, 3))
                .isNotEqualTo(demo.run(ContrastiveTuning.Arm.CORE, 4));
    }
}
