package io.github.panagrad.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Assets;
import io.github.panagrad.nn.SmallTokenizer;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExampleReaderTest {
    private static final int BOS = 257;
    private static final int EOS = 258;
    private static final int NO = Example.IGNORED;

    @TempDir Path folder;

    private ExampleReader reader() {
        return ExampleReader.of(SmallTokenizer.in(folder));
    }

    private Path file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    @Test
    void cutsTextIntoWindows() throws IOException {
        var data = reader().seqLen(4).read(file("a.txt", "\uFEFFabc\ndefgh"));
        assertThat(data.examples())
                .containsExactly(
                        Example.of(BOS, 'a', 'b', 'c'),
                        Example.of('\n', 'd', 'e', 'f'),
                        Example.of('g', 'h'));
        assertThat(data.tokens()).isEqualTo(10);
        assertThat(data.predicted()).isEqualTo(7);
        assertThat(data.longest()).isEqualTo(4);
    }

    @Test
    void leavesOutAWindowThatPredictsNothing() throws IOException {
        var data = reader().context(4).tag(3).read(file("a.txt", "abcd"));
        assertThat(data.examples()).containsExactly(Example.of(BOS, 'a', 'b', 'c').withTag(3));
        assertThat(data.dropped()).isEqualTo(1);
    }

    @Test
    void encodesLongTextInPiecesWithoutLosingAnything() throws IOException {
        // Lines longer and shorter than a piece, with characters of one to four bytes.
        String text = "héllo wörld 😀 and so on\n".repeat(1000) + "😀".repeat(3000) + "\nthe end";
        var data = reader().seqLen(1000).piece(1001).read(file("long.txt", text));
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        assertThat(data.tokens()).isEqualTo(bytes.length);
        int at = 0;
        for (Example example : data.examples()) {
            for (int id : example.inputIds()) {
                boolean merged = id == 256;
                assertThat(merged ? 'h' : id).isEqualTo(at == 0 ? BOS : bytes[at - 1] & 0xFF);
                at += merged ? 2 : 1;
            }
        }
    }

    @Test
    void readsRowsOfEveryKind() throws IOException {
        var data =
                reader().read(
                                file(
                                        "a.jsonl",
                                        """
                                        {"text": "hey"}

                                        {"prompt": "a", "completion": "bc", "text": "unused"}
                                        {"input_ids": [5, 6, 7]}
                                        {"input_ids": [5, 6, 7], "labels": [-100, 6, -100]}
                                        """));
        assertThat(data.examples())
                .containsExactly(
                        Example.of(BOS, 256, 'y'),
                        new Example(
                                new int[] {BOS, 'a', 'b', 'c', EOS},
                                new int[] {NO, NO, 'b', 'c', EOS},
                                0),
                        Example.of(5, 6, 7),
                        new Example(new int[] {5, 6, 7}, new int[] {NO, 6, NO}, 0));
    }

    @Test
    void mapsFieldNames() throws IOException {
        Path file = file("a.jsonl", "{\"question\": \"a\", \"answer\": \"b\"}");
        var data =
                reader().promptField("question")
                        .completionField("answer")
                        .separator("\n")
                        .read(file);
        assertThat(data.examples().getFirst().inputIds()).containsExactly(BOS, 'a', '\n', 'b', EOS);
        assertThatThrownBy(() -> reader().read(file))
                .isInstanceOf(PanagradException.class)
                .hasMessage(
                        file
                                + ":1: row without the field text; got question, answer; expected text,"
                                + " or prompt and completion, or input_ids; name the fields to use"
                                + " (--text-field, --prompt-field, --completion-field)");
        assertThatThrownBy(() -> reader().promptField("question").read(file))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining(":1: row without the field completion; got question, answer");
    }

    @Test
    void putsFactsInFrontOfTheirRows() throws IOException {
        var prepend = Prepend.of(Map.of("1", "f", "2", "g")).template("{fact}|{text}");
        Path file =
                file(
                        "a.jsonl",
                        """
                        {"id": "1", "prompt": "a", "completion": "b"}
                        {"id": "2", "text": "cd"}
                        """);
        var data = reader().prepend(prepend, "id").read(file);
        assertThat(data.examples().get(0).inputIds()).containsExactly(BOS, 'f', '|', 'a', 'b', EOS);
        assertThat(data.examples().get(0).predicted()).isEqualTo(2);
        assertThat(data.examples().get(1).inputIds()).containsExactly(BOS, 'g', '|', 'c', 'd');
        Path stranger = file("b.jsonl", "{\"id\": \"3\", \"text\": \"c\"}");
        assertThatThrownBy(() -> reader().prepend(prepend, "id").read(stranger))
                .hasMessageContaining("no fact for the row");
    }

    @Test
    void startsTheCompletionWhereGenerationWould() throws IOException {
        // Encoded in one go, "h" and "e" merge; the prompt alone ends in "h".
        var example =
                reader().read(file("a.jsonl", "{\"prompt\": \"h\", \"completion\": \"ey\"}"))
                        .examples()
                        .getFirst();
        assertThat(example.inputIds()).containsExactly(BOS, 'h', 'e', 'y', EOS);
        assertThat(example.labels()).containsExactly(NO, NO, 'e', 'y', EOS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"models/stories260k", "models/stories15m", "tokenizers/qwen2.5"})
    void promptsAreEncodedAsForGenerationAndTextsReadBack(String model) throws IOException {
        var tokenizer = Tokenizer.load(Assets.require(model));
        var reader = ExampleReader.of(tokenizer);
        String[][] pairs = {
            {"What is 2+2? ", "4"},
            {"Answer: ", "yes"},
            {"Once upon a", " time there was"},
            {"Once upon a ti", "me"},
            {"a\n", "b"},
            {"", "alone"},
            {"Reverse: 😀é", "é😀"},
            {"Tom said \"", "hello\""},
        };
        for (String[] pair : pairs) {
            var row = JsonObject.of("prompt", pair[0], "completion", pair[1]);
            var example = reader.read(file("p.jsonl", row.toString())).examples().getFirst();
            int[] ids = example.inputIds();
            int ignored = (int) Arrays.stream(example.labels()).filter(l -> l == NO).count();
            assertThat(Arrays.copyOf(ids, ignored))
                    .as("%s: %s + %s", model, pair[0], pair[1])
                    .isEqualTo(tokenizer.encode(pair[0]));
            assertThat(ids[ids.length - 1]).isEqualTo(tokenizer.eosId().orElseThrow());
            assertThat(tokenizer.decode(ids)).isEqualTo(pair[0] + pair[1]);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "nope | :1: not valid JSON at line 1, column 1; Unrecognized token 'nope'",
                "[1] | :1: not a JSON object; got a list",
                "{\"text\": 5} | :1: text is of the wrong type; got 5; expected a string",
                "{\"input_ids\": \"x\"} | :1: input_ids is of the wrong type; got x",
                "{\"input_ids\": [1, 1.5]} | :1: input_ids[1] is of the wrong type; got 1.5",
                "{\"input_ids\": []} | :1: input_ids is empty",
                "{\"input_ids\": [1, 259]} | :1: input_ids[1] is outside the vocabulary; got 259;"
                        + " expected 0 to 258",
                "{\"input_ids\": [1, -1]} | :1: input_ids[1] is outside the vocabulary; got -1",
                "{\"input_ids\": [1, 2], \"labels\": [1]} | :1: labels and input_ids differ in length;"
                        + " got 1 labels for 2 ids",
                "{\"input_ids\": [1, 2], \"labels\": [1, -7]} | :1: labels[1] is outside the vocabulary;"
                        + " got -7; expected 0 to 258, or -100",
                "{} | :1: row without the field text; got no fields",
                "{\"text\": null} | :1: row without the field text; got text",
                "{\"input_ids\": [1, 2], \"labels\": [1, -100]} | nothing to predict: all labels are"
                        + " ignored; got 1 rows",
                "{\"input_ids\": [1]} | nothing to predict",
                "{\"text\": \"too long\"} | :1: row longer than seq-len; got 9 tokens; expected at most 8;"
                        + " shorten it or cut long rows (--truncate)",
            })
    void refusesRowsThatCannotBeUsed(String row, String message) throws IOException {
        Path file = file("a.jsonl", row);
        assertThatThrownBy(() -> reader().seqLen(8).read(file))
                .isInstanceOf(PanagradException.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
    }

    @Test
    void countsLinesFromOne() throws IOException {
        Path file = file("a.jsonl", "{\"text\": \"ab\"}\n\n{\"txt\": \"x\"}\n");
        assertThatThrownBy(() -> reader().read(file))
                .isInstanceOf(PanagradException.class)
                .hasMessageStartingWith(file + ":3: row without the field text; got txt");
    }

    @Test
    void cutsLongRowsWhenAsked() throws IOException {
        Path file =
                file(
                        "a.jsonl",
                        """
                        {"prompt": "abcdefgh", "completion": "x"}
                        {"prompt": "ab", "completion": "xyz"}
                        {"prompt": "a", "completion": "x"}
                        """);
        var data = reader().context(4).truncate(true).tag(2).read(file);
        assertThat(data.truncated()).isEqualTo(2);
        assertThat(data.dropped()).isEqualTo(1);
        assertThat(data.examples())
                .containsExactly(
                        new Example(new int[] {BOS, 'a', 'b', 'x'}, new int[] {NO, NO, NO, 'x'}, 2),
                        new Example(
                                new int[] {BOS, 'a', 'x', EOS}, new int[] {NO, NO, 'x', EOS}, 2));
        assertThatThrownBy(() -> reader().context(4).read(file))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining(":1: row longer than the model's context; got 11 tokens");
    }

    @Test
    void refusesFilesThatCannotBeRead() throws IOException {
        assertThatThrownBy(() -> reader().read(file("a.jsonl", "\n\n")))
                .isInstanceOf(PanagradException.class)
                .hasMessageEndingWith("a.jsonl: empty data file");
        assertThatThrownBy(() -> reader().seqLen(4).read(file("a.txt", "")))
                .isInstanceOf(PanagradException.class)
                .hasMessageEndingWith("a.txt: empty data file");
        assertThatThrownBy(() -> reader().read(file("a.txt", "abc")))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("no window length for text");
        assertThatThrownBy(() -> reader().read(file("a.csv", "a,b")))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("unknown kind of data file");
        assertThatThrownBy(() -> reader().read(folder.resolve("none.jsonl")))
                .isInstanceOf(PanagradException.class)
                .hasMessageEndingWith("none.jsonl: no such file");
        Path latin = folder.resolve("latin.txt");
        Files.write(latin, "café".getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> reader().seqLen(4).read(latin))
                .isInstanceOf(PanagradException.class)
                .hasMessageEndingWith("latin.txt: not UTF-8 text");
    }

    @Test
    void refusesWindowsBeyondTheContext() throws IOException {
        Path file = file("a.txt", "abc");
        assertThatThrownBy(() -> reader().seqLen(9).context(8).read(file))
                .isInstanceOf(PanagradException.class)
                .hasMessage("seq-len: longer than the model's context; got 9; expected at most 8");
        assertThatThrownBy(() -> reader().seqLen(1))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("too short to predict anything");
    }

    @Test
    void readsIdsWithoutATokenizer() throws IOException {
        Path file = file("a.jsonl", "{\"input_ids\": [0, 9]}");
        assertThat(ExampleReader.ofIds(10).read(file).examples()).containsExactly(Example.of(0, 9));
        assertThatThrownBy(() -> ExampleReader.ofIds(9).read(file))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("outside the vocabulary");
        assertThat(
                        reader().vocabSize(1000)
                                .read(file("b.jsonl", "{\"input_ids\": [0, 999]}"))
                                .size())
                .isEqualTo(1);
        assertThatThrownBy(() -> ExampleReader.ofIds(10).read(file("c.jsonl", "{\"text\": \"a\"}")))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining(":1: text, but no tokenizer to encode it");
    }

    @Test
    void readsGsm8k() {
        var tokenizer = Tokenizer.load(Assets.require("models/stories260k"));
        var data =
                ExampleReader.of(tokenizer)
                        .promptField("question")
                        .completionField("answer")
                        .separator("\n")
                        .seqLen(512)
                        .truncate(true)
                        .read(Assets.require("datasets/gsm8k/test.jsonl"));
        assertThat(data.size() + data.dropped()).isEqualTo(1319);
        assertThat(data.longest()).isEqualTo(512);
        assertThat(data.predicted()).isLessThan(data.tokens());
    }

    @Test
    void joinsDataSets() {
        var a = Dataset.of(List.of(Example.of(1, 2))).withTag(1);
        var b = new Dataset(List.of(Example.of(3, 4, 5)), 2, 1);
        var both = a.concat(b);
        assertThat(both.examples()).extracting(Example::tag).containsExactly(1, 0);
        assertThat(both.truncated()).isEqualTo(2);
        assertThat(both.dropped()).isEqualTo(1);
        assertThat(both.tokens()).isEqualTo(5);
    }
}
