package io.github.panagrad.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LabelledTextsTest {
    @TempDir private Path folder;

    @Test
    void readsQuestions() throws IOException {
        Path file = folder.resolve("train.label");
        Files.writeString(
                file,
                "DESC:manner How are you ?\nHUM:ind Who was Poincar\u00e9 ?\n",
                StandardCharsets.ISO_8859_1);
        var texts = LabelledTexts.trec(file);

        assertThat(texts.texts()).containsExactly("How are you ?", "Who was Poincar\u00e9 ?");
        assertThat(texts.labels()).containsExactly("DESC", "HUM");
        assertThat(texts.numbers(texts.labels())).containsExactly(0, 1);
    }

    @Test
    void readsRequestsWithCommasAndLineBreaks() throws IOException {
        Path file = folder.resolve("train.csv");
        Files.writeString(
                file, "text,category\nWhere is it?,arrival\n\"Well, it\nis late\n\",late\n");
        var texts = LabelledTexts.banking(file);

        assertThat(texts.texts()).containsExactly("Where is it?", "Well, it\nis late");
        assertThat(texts.names()).containsExactly("arrival", "late");
    }

    @Test
    void drawsTextsOfEachLabel() throws IOException {
        Path file = folder.resolve("train.label");
        Files.writeString(file, "A:x one\n".repeat(9) + "B:x two\n".repeat(4));
        var texts = LabelledTexts.trec(file);

        assertThat(texts.sample(5, 1).size()).isEqualTo(5);
        var some = texts.perLabel(3, 1);
        assertThat(Collections.frequency(some.names(), "A")).isEqualTo(3);
        assertThat(Collections.frequency(some.names(), "B")).isEqualTo(3);
        assertThat(some.texts().stream().filter("two"::equals).count()).isEqualTo(3);
    }
}
