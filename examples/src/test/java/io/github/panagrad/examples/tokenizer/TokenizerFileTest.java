package io.github.panagrad.examples.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.github.panagrad.examples.tokenizer.BytePairTrainer.Encoding;
import io.github.panagrad.examples.tokenizer.BytePairTrainer.Pair;
import io.github.panagrad.examples.world.Storyteller;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerFileTest {
    @Test
    void mergesTheMostFrequentPairFirst() {
        var trainer = new BytePairTrainer();
        trainer.read("low low low lower newest newest");

        Encoding encoding = trainer.learn(262);

        // " l" and "lo" and "ow" are as frequent as each other at first: "lo" and "ow" 4 times each
        assertThat(encoding.merges()).first().isEqualTo(new Pair("l", "o"));
        assertThat(encoding.vocabulary()).hasSize(262).containsEntry("<s>", 1);
    }

    @Test
    void stopsWhereNothingOccursTwice() {
        var trainer = new BytePairTrainer();
        trainer.read("ab ab");

        // "Ġa", "Ġab" or "ab": the text has "ab" twice, " ab" once
        assertThat(trainer.learn(1000).merges()).containsExactly(new Pair("a", "b"));
    }

    @Test
    void needsRoomForTheBytes() {
        assertThatThrownBy(() -> new BytePairTrainer().learn(100))
                .hasMessageContaining("has no room for the bytes");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "One day Anna went to the garden. \"Where is Ben?\" asked she.",
                "tabs\tand\nlines\n\n  and blanks ",
                "Ünïcode, 漢字, 🙂 and 12345 numbers; it's what we'll see…",
                "x"
            })
    void readsBackWhatItWrote(String text) throws IOException {
        try (HuggingFaceTokenizer tokenizer = tokenizer()) {
            long[] ids = tokenizer.encode(text).getIds();

            assertThat(ids[0]).isEqualTo(1);
            assertThat(tokenizer.decode(ids, true)).isEqualTo(text);
            assertThat(tokenizer.decode(Arrays.copyOfRange(ids, 1, ids.length), false))
                    .isEqualTo(text);
        }
    }

    @Test
    void knowsTheWordsOfTheWorld() throws IOException {
        try (HuggingFaceTokenizer tokenizer = tokenizer()) {
            String[] tokens = tokenizer.encode(" Anna picked up a purple umbrella.").getTokens();

            assertThat(tokens).contains("ĠAnna", "Ġpicked", "Ġpurple", ".");
        }
    }

    private static HuggingFaceTokenizer tokenizer() throws IOException {
        var trainer = new BytePairTrainer();
        var teller = new Storyteller(1);
        for (int i = 0; i < 2000; i++) {
            var story = teller.tell();
            trainer.read(story.narration());
        }
        String json = TokenizerFile.of(trainer.learn(736)).toString();
        return HuggingFaceTokenizer.newInstance(
                new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)), null);
    }
}
