package io.github.panagrad.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.nn.Assets;
import io.github.panagrad.nn.io.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrependTest {
    @TempDir private Path folder;

    private Path file(String... lines) throws IOException {
        return Files.write(folder.resolve("facts.jsonl"), Arrays.asList(lines));
    }

    @Test
    void joinsFactsByTheirId() throws IOException {
        var prepend =
                Prepend.read(
                        file(
                                "{\"id\": \"7\", \"fact\": \"Bees make honey.\"}",
                                "{\"id\": \"8\", \"fact\": \"Ice is water.\"}",
                                "{\"id\": \"7\", \"fact\": \"Bees fly.\"}"));
        assertThat(prepend.join("7", "What do bees make?"))
                .isEqualTo("Bees make honey. Bees fly. [SEP] What do bees make?");
        assertThat(prepend.template("Q: {text}\nHint: {fact}.").join("8", "What is ice?"))
                .isEqualTo("Q: What is ice?\nHint: Ice is water..");
    }

    @Test
    void leavesPlaceholdersInTextsAlone() {
        var prepend = Prepend.of(Map.of("1", "{text} is a place"));
        assertThat(prepend.join("1", "What is {fact}?"))
                .isEqualTo("{text} is a place [SEP] What is {fact}?");
    }

    @Test
    void theSeparatorIsOneTokenOfAnEncoder() {
        Tokenizer tokenizer = Tokenizer.load(Assets.require("models/all-minilm-l6-v2"));
        int[] ids = tokenizer.encode(Prepend.of(Map.of("1", "bees fly")).join("1", "do bees fly"));
        int separator = ids[ids.length - 1];
        assertThat(Arrays.stream(ids).filter(id -> id == separator).count()).isEqualTo(2);
        assertThat(ids[3]).isEqualTo(separator);
    }

    @Test
    void saysWhatIsMissing() throws IOException {
        var prepend = Prepend.of(Map.of("1", "a"));
        assertThatThrownBy(() -> prepend.join("2", "x"))
                .hasMessageContaining("no fact for the row")
                .hasMessageContaining("2");
        assertThatThrownBy(() -> prepend.template("{fact}")).hasMessageContaining("{text}");
        Path broken = file("{\"id\": \"1\", \"fact\": \"a\"}", "{\"id\": \"2\"}");
        assertThatThrownBy(() -> Prepend.read(broken))
                .hasMessageContaining("facts.jsonl:2")
                .hasMessageContaining("fact");
        Path empty = file();
        assertThatThrownBy(() -> Prepend.read(empty)).hasMessageContaining("empty fact file");
    }
}
