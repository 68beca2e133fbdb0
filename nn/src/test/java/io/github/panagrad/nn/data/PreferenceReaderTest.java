package io.github.panagrad.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.nn.SmallTokenizer;
import io.github.panagrad.nn.io.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PreferenceReaderTest {
    @TempDir private Path folder;
    private Tokenizer tokenizer;

    @BeforeEach
    void loadTokenizer() {
        tokenizer = SmallTokenizer.in(folder);
    }

    private Path file(String... lines) throws IOException {
        return Files.write(folder.resolve("data.jsonl"), List.of(lines));
    }

    private PreferenceReader reader() {
        return PreferenceReader.of(tokenizer);
    }

    private String answer(Example example) {
        int[] ids = example.inputIds();
        int from = 1;
        while (example.labels()[from] == Example.IGNORED) {
            from++;
        }
        int[] part = java.util.Arrays.copyOfRange(ids, from, ids.length);
        return tokenizer.decode(part, false);
    }

    private Dataset pairs(int count) throws IOException {
        var lines = new ArrayList<String>();
        for (int i = 0; i < count; i++) {
            lines.add(
                    "{\"prompt\": \"q%d \", \"chosen\": \"%s\", \"rejected\": \"no%d\"}"
                            .formatted(i, "y".repeat(1 + i % 4), i));
        }
        return reader().pairs(file(lines.toArray(String[]::new)));
    }

    @Test
    void readsPairs() throws IOException {
        Dataset data = pairs(3);
        assertThat(data.size()).isEqualTo(6);
        for (int i = 0; i < 6; i++) {
            int tag = data.examples().get(i).tag();
            assertThat(Preference.pair(tag)).isEqualTo(i / 2);
            assertThat(Preference.isChosen(tag)).isEqualTo(i % 2 == 0);
        }
        assertThat(answer(data.examples().get(2))).isEqualTo("yy</s>");
        assertThat(answer(data.examples().get(3))).isEqualTo("no1</s>");
    }

    @Test
    void readsMarkedAnswersWithThoseOfOtherPrompts() throws IOException {
        Dataset data =
                reader().marked(
                                file(
                                        "{\"prompt\":\"a\",\"completion\":\" x\",\"label\":true}",
                                        "",
                                        "{\"prompt\":\"b\",\"completion\":\" y\",\"label\":false}",
                                        "{\"prompt\":\"c\",\"completion\":\" z\",\"label\":true}"));
        assertThat(data.examples().stream().map(Example::tag))
                .containsExactly(
                        Preference.GOOD,
                        Preference.MISMATCHED,
                        Preference.BAD,
                        Preference.MISMATCHED,
                        Preference.GOOD,
                        Preference.MISMATCHED);
        assertThat(data.examples().stream().map(this::answer))
                .containsExactly(" x</s>", " y</s>", " y</s>", " z</s>", " z</s>", " x</s>");
    }

    @Test
    void namesFileAndLineOfWhatIsWrong() throws IOException {
        String good = "{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"c\"}";
        Path missing = file(good, "{\"prompt\":\"a\",\"chosen\":\"b\"}");
        assertThatThrownBy(() -> reader().pairs(missing))
                .hasMessageContaining("data.jsonl:2")
                .hasMessageContaining("without the field rejected");
        Path equal = file("", "{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"b\"}");
        assertThatThrownBy(() -> reader().pairs(equal))
                .hasMessageContaining("data.jsonl:2")
                .hasMessageContaining("is the chosen answer");
        Path broken = file(good, "{");
        assertThatThrownBy(() -> reader().pairs(broken)).hasMessageContaining("data.jsonl:2");
        Path mark =
                file(
                        "{\"prompt\":\"a\",\"completion\":\"b\",\"label\":1}",
                        "{\"prompt\":\"a\",\"completion\":\"b\",\"label\":true}");
        assertThatThrownBy(() -> reader().marked(mark))
                .hasMessageContaining("data.jsonl:1")
                .hasMessageContaining("true or false");
        Path one = file("{\"prompt\":\"a\",\"completion\":\"b\",\"label\":true}");
        assertThatThrownBy(() -> reader().marked(one)).hasMessageContaining("too few rows");
        assertThatThrownBy(() -> reader().pairs(folder.resolve("none.jsonl")))
                .hasMessageContaining("no such file");
    }

    @Test
    void refusesCutsOrDropsWhatIsTooLong() throws IOException {
        Path rows =
                file(
                        "{\"prompt\":\"abcdefgh\",\"chosen\":\"b\",\"rejected\":\"c\"}",
                        "{\"prompt\":\"a\",\"chosen\":\"bcdefghi\",\"rejected\":\"c\"}");
        assertThatThrownBy(() -> reader().longest(6).pairs(rows))
                .hasMessageContaining("data.jsonl:1")
                .hasMessageContaining("at most 6");
        Dataset cut = reader().longest(6).truncate(true).pairs(rows);
        assertThat(cut.size()).isEqualTo(2);
        assertThat(cut.dropped()).isEqualTo(1);
        assertThat(cut.truncated()).isEqualTo(3);
        assertThat(cut.longest()).isEqualTo(6);
    }

    @Test
    void keepsPairsInOneBatchInEveryLayout() throws IOException {
        Dataset data = pairs(11);
        for (Batches batches :
                List.of(
                        Batches.of(data).grouped(2).size(3).shuffled(5).epochs(2),
                        Batches.of(data).grouped(2).size(3).packed(40).shuffled(5).epochs(2))) {
            int seen = 0;
            for (Batch batch : batches) {
                var tags = batch.sequences().stream().map(Batch.Sequence::tag).toList();
                seen += tags.size();
                for (int tag : tags) {
                    assertThat(tags).contains(tag ^ 1);
                }
            }
            assertThat(seen).isEqualTo(44);
        }
        assertThat(Batches.of(data).grouped(2).size(3).cursor().next().size()).isEqualTo(6);
        assertThat(Batches.of(data).grouped(2).size(3).inEpoch(0)).isEqualTo(4);
    }

    @Test
    void goesOnInTheMiddle() throws IOException {
        Batches batches = Batches.of(pairs(11)).grouped(2).size(2).shuffled(5).epochs(3);
        Batches.Cursor first = batches.cursor();
        for (int i = 0; i < 8; i++) {
            first.next();
        }
        Batches.Cursor second = batches.cursor(first.position());
        while (first.hasNext()) {
            assertThat(second.next().ids()).containsExactly(first.next().ids());
        }
        assertThat(second.hasNext()).isFalse();
    }

    @Test
    void refusesGroupsThatAreNotWholeOrTooLong() throws IOException {
        Dataset data = pairs(3);
        assertThatThrownBy(() -> Batches.of(data).grouped(4)).hasMessageContaining("multiple of 4");
        int longest = data.longest();
        assertThatThrownBy(() -> Batches.of(data).grouped(2).packed(longest + 1))
                .hasMessageContaining("group 0 does not fit");
        assertThatThrownBy(() -> Batches.of(data).packed(longest + 1).grouped(2))
                .hasMessageContaining("group 0 does not fit");
    }

    @Test
    void takesSomeSequencesOfABatch() throws IOException {
        Batch whole = Batches.of(pairs(5)).grouped(2).size(2).packed(60).cursor().next();
        Batch some = whole.only(s -> Preference.isChosen(s.tag()));
        assertThat(some.sequences()).hasSize(whole.sequences().size() / 2);
        for (Batch.Sequence s : some.sequences()) {
            Batch.Sequence before =
                    whole.sequences().stream()
                            .filter(w -> w.example() == s.example())
                            .findFirst()
                            .orElseThrow();
            for (int t = 0; t < s.length(); t++) {
                int at = s.row() * some.length() + s.start() + t;
                int was = before.row() * whole.length() + before.start() + t;
                assertThat(some.ids()[at]).isEqualTo(whole.ids()[was]);
                assertThat(some.labels()[at]).isEqualTo(whole.labels()[was]);
                assertThat(some.positions()[at]).isEqualTo(t);
            }
        }
        assertThat(some.tokens())
                .isEqualTo(some.sequences().stream().mapToInt(Batch.Sequence::length).sum());
        assertThatThrownBy(() -> whole.only(s -> false)).hasMessageContaining("no such sequence");
    }
}
