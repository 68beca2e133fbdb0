package io.github.panagrad.nn.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Assets;
import io.github.panagrad.nn.SmallTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {
    private static final String TEXT =
            "Tom's café cost €12.50 — naïve? 你好, 世界! 😀👩‍👩‍👧 tabs\tand\nnew  lines.";

    @TempDir Path folder;

    private Tokenizer small() {
        SmallTokenizer.json().write(folder.resolve("tokenizer.json"));
        return Tokenizer.load(folder);
    }

    @Test
    void encodesAndDecodes() {
        var tokenizer = small();
        assertThat(tokenizer.encode("hey")).containsExactly(257, 256, 'y');
        assertThat(tokenizer.encode("hey", false)).containsExactly(256, 'y');
        assertThat(tokenizer.decode(257, 256, 'y')).isEqualTo("hey");
        assertThat(tokenizer.decode(new int[] {257, 256, 'y'}, false)).isEqualTo("<s>hey");
        assertThat(tokenizer.encode("", false)).isEmpty();
        assertThat(tokenizer.decode()).isEmpty();
        assertThat(tokenizer.vocabSize()).isEqualTo(259);
        assertThat(tokenizer.addedId("</s>")).isEqualTo(OptionalInt.of(258));
        assertThat(tokenizer.addedId("</none>")).isEmpty();
        assertThat(tokenizer.decode(tokenizer.encode(TEXT))).isEqualTo(TEXT);
    }

    @Test
    void ignoresTruncationThatTheFileAsksFor() {
        assertThat(small().encode("0123456789", false)).hasSize(10);
    }

    @Test
    void refusesIdsOutsideTheVocabulary() {
        var tokenizer = small();
        assertThatThrownBy(() -> tokenizer.decode('a', 259))
                .isInstanceOf(PanagradException.class)
                .hasMessage(
                        "decode: id outside the vocabulary; got 259 at position 1;"
                                + " expected 0 to 258");
        assertThatThrownBy(() -> tokenizer.decode(-1)).isInstanceOf(PanagradException.class);
    }

    @Test
    void refusesMoreIdsThanTheEmbeddingHasRows() {
        var tokenizer = small();
        tokenizer.requireFits(259, "model");
        assertThatThrownBy(() -> tokenizer.requireFits(258, "model"))
                .isInstanceOf(PanagradException.class)
                .hasMessage(
                        "model: the tokenizer has more ids than the embedding has rows;"
                                + " got 259 ids; expected at most 258;"
                                + " do tokenizer.json and the weights belong to the same model?");
    }

    @Test
    void survivesTextThatIsNoText() {
        var tokenizer = small();
        assertThat(tokenizer.decode(tokenizer.encode("a\0b"))).isEqualTo("a\0b");
        assertThat(tokenizer.decode(tokenizer.encode("a\uD800b")))
                .startsWith("a\uFFFD")
                .endsWith("b");
    }

    @Test
    void findsBeginningAndEndInTheFilesBesideIt() {
        assertThat(small().bosId()).isEmpty();
        JsonObject.of("bos_token_id", 257, "eos_token_id", new int[] {258, 1})
                .write(folder.resolve("config.json"));
        assertThat(small().bosId()).isEqualTo(OptionalInt.of(257));
        assertThat(small().eosId()).isEqualTo(OptionalInt.of(258));

        JsonObject.of("eos_token", SmallTokenizer.added(258, "</s>"))
                .write(folder.resolve("special_tokens_map.json"));
        assertThat(small().eosId()).isEqualTo(OptionalInt.of(258));
        assertThat(small().bosId()).isEmpty();

        JsonObject.of("bos_token", "<s>", "eos_token", null, "pad_token", "he")
                .write(folder.resolve("tokenizer_config.json"));
        assertThat(small().bosId()).isEqualTo(OptionalInt.of(257));
        assertThat(small().eosId()).as("null decides").isEmpty();
        assertThat(small().padId()).isEqualTo(OptionalInt.of(256));

        JsonObject.of("eos_token", "<|end|>").write(folder.resolve("tokenizer_config.json"));
        assertThatThrownBy(this::small)
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("the eos_token is not in the vocabulary; got \"<|end|>\"");
    }

    @Test
    void savesItsFilesBesideAModel() throws IOException {
        JsonObject.of("bos_token", "<s>").write(folder.resolve("tokenizer_config.json"));
        Path out = folder.resolve("out");
        small().save(out);
        try (var files = Files.list(out)) {
            assertThat(files)
                    .containsExactlyInAnyOrder(
                            out.resolve("tokenizer.json"), out.resolve("tokenizer_config.json"));
        }
        assertThat(Tokenizer.load(out).encode("hey")).containsExactly(257, 256, 'y');
        assertThat(Tokenizer.load(out).bosId()).isEqualTo(OptionalInt.of(257));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | not a JSON object",
                "{} | no vocabulary; expected model.vocab",
                "{\"model\": {\"vocab\": {\"a\": \"x\"}}} | token \"a\" has an id that is no id; got \"x\"",
                "{\"model\": {\"vocab\": {\"a\": -1}}} | token \"a\" has an id that is no id; got \"-1\"",
                "{\"model\": {\"vocab\": {\"a\": 0}}} | not a tokenizer; ",
                "{\"model\" | not valid JSON at line 1, column 9",
            })
    void refusesFilesThatAreNoTokenizers(String json, String message) throws IOException {
        Files.writeString(folder.resolve("tokenizer.json"), json);
        assertThatThrownBy(() -> Tokenizer.load(folder))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("tokenizer.json: " + message.strip())
                .hasMessageNotContaining("\n");
    }

    @Test
    void saysThatTheFileIsMissing() {
        assertThatThrownBy(() -> Tokenizer.load(folder))
                .isInstanceOf(PanagradException.class)
                .hasMessageEndingWith("tokenizer.json: no such file; a model needs its tokenizer");
    }

    @Test
    void streamsOnlyCompleteCharacters() {
        var stream = small().stream();
        var pieces = new ArrayList<String>();
        for (int b : new int[] {257, 'a', 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x98, 0x80, 256}) {
            pieces.add(stream.push(b));
        }
        assertThat(pieces).containsExactly("", "a", "", "", "€", "", "", "", "😀", "he");
        assertThat(stream.push(0xE2)).isEmpty();
        assertThat(stream.finish()).isEqualTo("\uFFFD");
        assertThat(stream.finish()).isEmpty();
        assertThat(stream.push('b')).isEqualTo("b");
        assertThat(stream.push(0xFF)).isEmpty();
        assertThat(stream.push('c')).as("an invalid byte does not block").isEqualTo("\uFFFDc");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "models/stories260k",
                "models/stories15m",
                "models/all-minilm-l6-v2",
                "tokenizers/qwen2.5"
            })
    void streamsTheSameTextAsDecodingAtOnce(String model) throws IOException {
        var tokenizer = Tokenizer.load(Assets.require(model));
        String story =
                Files.readString(Assets.require("datasets/tinystories/sample.txt"))
                        .substring(0, 3000);
        boolean wordPiece = model.contains("minilm");
        for (String text : wordPiece ? List.of("plain words only") : List.of(TEXT, story)) {
            int[] ids = tokenizer.encode(text);
            var stream = tokenizer.stream();
            var all = new StringBuilder();
            for (int id : ids) {
                all.append(stream.push(id));
            }
            all.append(stream.finish());
            assertThat(all).hasToString(tokenizer.decode(ids));
        }
    }

    @Test
    void streamsRandomIdsWithoutLosingTheEnd() {
        var tokenizer = Tokenizer.load(Assets.require("tokenizers/qwen2.5"));
        long seed = 7;
        var random = new Random(seed);
        for (int round = 0; round < 50; round++) {
            int[] ids = random.ints(30, 0, tokenizer.vocabSize()).toArray();
            var stream = tokenizer.stream();
            String text =
                    IntStream.of(ids).mapToObj(stream::push).reduce("", String::concat)
                            + stream.finish();
            // Bytes that are cut apart at a piece's end may give another number of U+FFFD.
            assertThat(text.replaceAll("\uFFFD+", ""))
                    .as("seed %d, ids %s", seed, Arrays.toString(ids))
                    .isEqualTo(tokenizer.decode(ids).replaceAll("\uFFFD+", ""));
        }
    }

    @ParameterizedTest
    @CsvSource({"stories260k, stories260K", "stories15m, stories15M"})
    void agreesWithTheReferenceTokens(String model, String reference) {
        var tokenizer = Tokenizer.load(Assets.require("models/" + model));
        var cases =
                JsonObject.read(Assets.require("reference/" + reference + "_reference.json"))
                        .list("cases");
        int compared = 0;
        for (Object each : cases) {
            var json = JsonObject.of(asMap(each));
            int[] ids = json.ints("tokens");
            // For bytes that are no UTF-8 the libraries differ in how many U+FFFD they give.
            if (!json.string("decoded").contains("\uFFFD")) {
                assertThat(tokenizer.decode(ids)).isEqualTo(json.string("decoded"));
            }
            if (!json.string("name").startsWith("random")) {
                assertThat(tokenizer.encode(json.string("decoded"))).isEqualTo(ids);
                compared++;
            }
        }
        assertThat(compared).isGreaterThanOrEqualTo(4);
        assertThat(tokenizer.bosId()).isEqualTo(OptionalInt.of(1));
        assertThat(tokenizer.eosId()).isEqualTo(OptionalInt.of(2));
        tokenizer.requireFits(
                ModelConfig.read(Assets.require("models/" + model)).vocabSize(), model);
    }

    @SuppressWarnings("unchecked")
    private static Map<String, ?> asMap(Object value) {
        return (Map<String, ?>) value;
    }

    @Test
    void agreesWithTheReferenceIdsOfMiniLm() {
        var tokenizer = Tokenizer.load(Assets.require("models/all-minilm-l6-v2"));
        var cases =
                JsonObject.read(Assets.require("reference/all-MiniLM-L6-v2_reference.json"))
                        .list("cases");
        for (Object each : cases) {
            var json = JsonObject.of(asMap(each));
            assertThat(tokenizer.encode(json.string("text"))).isEqualTo(json.ints("ids"));
        }
        assertThat(cases).isNotEmpty();
        assertThat(tokenizer.vocabSize()).isEqualTo(30522);
    }

    @Test
    void readsQwen() {
        var tokenizer = Tokenizer.load(Assets.require("tokenizers/qwen2.5"));
        assertThat(tokenizer.vocabSize()).isEqualTo(151665);
        assertThat(tokenizer.bosId()).isEmpty();
        assertThat(tokenizer.eosId()).isEqualTo(tokenizer.addedId("<|im_end|>"));
        assertThat(tokenizer.padId()).isEqualTo(tokenizer.addedId("<|endoftext|>"));
        int[] ids = tokenizer.encode("<|im_start|>user\n" + TEXT + "<|im_end|>");
        assertThat(ids[0]).isEqualTo(151644);
        assertThat(ids[ids.length - 1]).isEqualTo(151645);
        assertThat(tokenizer.decode(ids)).isEqualTo("user\n" + TEXT);
    }
}
