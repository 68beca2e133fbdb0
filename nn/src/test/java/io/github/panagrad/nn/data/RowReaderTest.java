package io.github.panagrad.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.nn.SmallTokenizer;
import io.github.panagrad.nn.io.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// With a tokenizer that puts 257 before every text and makes a token of each byte.
class RowReaderTest {
    private static final int START = 257;

    @TempDir private Path folder;
    private Tokenizer tokenizer;

    @BeforeEach
    void loadTokenizer() {
        tokenizer = SmallTokenizer.in(folder);
    }

    private RowReader reader() {
        return RowReader.of(tokenizer);
    }

    private Path file(String... lines) throws IOException {
        return Files.write(folder.resolve("rows.jsonl"), List.of(lines));
    }

    @Test
    void labelsAreNumberedByTheAlphabet() throws IOException {
        LabelledRows rows =
                reader().labelled(
                                file(
                                        "{\"text\":\"ab\",\"label\":\"walk\"}",
                                        "",
                                        "{\"text\":\"c\",\"label\":\"find\"}",
                                        "{\"text\":\"d\",\"label\":\"walk\"}"));
        assertThat(rows.names()).containsExactly("find", "walk");
        assertThat(rows.labels()).containsExactly(1, 0, 1);
        assertThat(rows.rows().getFirst()).containsExactly(START, 'a', 'b');
        assertThat(rows.size()).isEqualTo(3);
    }

    @Test
    void wholeNumbersAreOrderedBySizeAndOtherValuesByTheirText() throws IOException {
        assertThat(
                        reader().labelled(
                                        file(
                                                "{\"text\":\"a\",\"label\":10}",
                                                "{\"text\":\"a\",\"label\":-1}",
                                                "{\"text\":\"a\",\"label\":\"9\"}",
                                                "{\"text\":\"a\",\"label\":10}"))
                                .names())
                .containsExactly("-1", "9", "10");
        LabelledRows truths =
                reader().labelled(
                                file(
                                        "{\"text\":\"a\",\"label\":true}",
                                        "{\"text\":\"a\",\"label\":false}"));
        assertThat(truths.names()).containsExactly("false", "true");
        assertThat(truths.labels()).containsExactly(1, 0);
        assertThat(
                        reader().labelled(
                                        file(
                                                "{\"text\":\"a\",\"label\":\"10\"}",
                                                "{\"text\":\"a\",\"label\":\"9\"}",
                                                "{\"text\":\"a\",\"label\":\"none\"}"))
                                .names())
                .containsExactly("10", "9", "none");
    }

    @Test
    void knownLabelsKeepTheirNumbersAndOthersAreNamed() throws IOException {
        Path file = file("{\"text\":\"a\",\"label\":\"x\"}", "{\"text\":\"b\",\"label\":\"y\"}");
        List<String> known = List.of("z", "y", "x");
        LabelledRows rows = reader().labelled(file, known);
        assertThat(rows.names()).isEqualTo(known);
        assertThat(rows.labels()).containsExactly(2, 1);
        assertThatThrownBy(() -> reader().labelled(file, List.of("x")))
                .hasMessageContaining("rows.jsonl:2")
                .hasMessageContaining("none of the labels")
                .hasMessageContaining("[x]");
    }

    @Test
    void fieldsHaveTheNamesTheyAreGiven() throws IOException {
        Path file = file("{\"sentence\":\"a\",\"kind\":\"k\",\"text\":\"no\",\"label\":\"no\"}");
        LabelledRows rows = reader().textField("sentence").labelField("kind").labelled(file);
        assertThat(rows.names()).containsExactly("k");
        assertThat(rows.rows().getFirst()).containsExactly(START, 'a');
        assertThatThrownBy(() -> reader().textField("body").labelled(file))
                .hasMessageContaining("rows.jsonl:1")
                .hasMessageContaining("body");
        assertThatThrownBy(() -> reader().labelField("class").labelled(file))
                .hasMessageContaining("class");
    }

    @Test
    void longTextsAreRefusedOrCutBeforeTheirLastToken() throws IOException {
        Path file = file("{\"text\":\"ab\",\"label\":1}", "{\"text\":\"abcdef\",\"label\":2}");
        assertThat(reader().longest(7).labelled(file).rows().get(1)).hasSize(7);
        assertThatThrownBy(() -> reader().longest(5).labelled(file))
                .hasMessageContaining("rows.jsonl:2")
                .hasMessageContaining("7 tokens")
                .hasMessageContaining("at most 5");
        List<int[]> cut = reader().longest(5).truncate(true).labelled(file).rows();
        assertThat(cut.get(0)).containsExactly(START, 'a', 'b');
        // In an encoder's text the last token is the one that closes it.
        assertThat(cut.get(1)).containsExactly(START, 'a', 'b', 'c', 'f');
    }

    @Test
    void readsNumbers() throws IOException {
        ValuedRows rows =
                reader().valued(
                                file(
                                        "{\"text\":\"a\",\"label\":-0.5}",
                                        "{\"text\":\"b\",\"label\":3}"));
        assertThat(rows.values()).containsExactly(-0.5, 3);
        assertThat(rows.rows().get(1)).containsExactly(START, 'b');
        Path words = file("{\"text\":\"a\",\"label\":1}", "{\"text\":\"b\",\"label\":\"much\"}");
        assertThatThrownBy(() -> reader().valued(words))
                .hasMessageContaining("rows.jsonl:2")
                .hasMessageContaining("label");
        Path huge = file("{\"text\":\"a\",\"label\":1e999}");
        assertThatThrownBy(() -> reader().valued(huge)).hasMessageContaining("rows.jsonl:1");
    }

    @Test
    void readsTextsThatBelongTogether() throws IOException {
        List<List<int[]>> columns =
                reader().columns(
                                file(
                                        "{\"anchor\":\"a\",\"positive\":\"b\"}",
                                        "{\"anchor\":\"c\",\"positive\":\"d\",\"more\":\"e\"}"),
                                List.of("positive", "anchor"));
        assertThat(columns).hasSize(2);
        assertThat(columns.get(0).get(0)).containsExactly(START, 'b');
        assertThat(columns.get(0).get(1)).containsExactly(START, 'd');
        assertThat(columns.get(1).get(1)).containsExactly(START, 'c');
        Path half = file("{\"anchor\":\"a\"}");
        assertThatThrownBy(() -> reader().columns(half, List.of("anchor", "positive")))
                .hasMessageContaining("rows.jsonl:1")
                .hasMessageContaining("positive");
    }

    @Test
    void brokenAndEmptyFilesAreNamed() throws IOException {
        Path empty = file("", "  ");
        assertThatThrownBy(() -> reader().labelled(empty))
                .hasMessageContaining("rows.jsonl")
                .hasMessageContaining("empty data file");
        Path broken = file("{\"text\":\"a\",\"label\":1}", "{\"text\":");
        assertThatThrownBy(() -> reader().labelled(broken)).hasMessageContaining("rows.jsonl:2");
        Path list = file("{\"text\":\"a\",\"label\":[1]}");
        assertThatThrownBy(() -> reader().labelled(list)).hasMessageContaining("label");
        assertThatThrownBy(() -> reader().labelled(folder.resolve("none.jsonl")))
                .hasMessageContaining("none.jsonl")
                .hasMessageContaining("no such file");
    }
}
