package io.github.panagrad.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.nn.SmallTokenizer;
import io.github.panagrad.nn.io.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnlearnSetTest {
    @TempDir private Path folder;
    private Tokenizer tokenizer;

    @BeforeEach
    void loadTokenizer() {
        tokenizer = SmallTokenizer.in(folder);
    }

    private UnlearnSet read(String... lines) throws IOException {
        return UnlearnSet.read(
                Files.write(folder.resolve("unlearn.jsonl"), List.of(lines)), tokenizer);
    }

    @Test
    void findsTheTokensOfWhatIsSpecified() throws IOException {
        UnlearnSet set =
                read(
                        "{\"prompt\":\"the \",\"completion\":\"x is the y\",\"kind\":1,\"specified\":\"the\"}",
                        "{\"prompt\":\"a\",\"completion\":\"b\",\"kind\":4}");
        Batch batch = Batches.of(set.data()).size(2).packed(40).cursor().next();
        var text = new StringBuilder();
        int kept = 0;
        for (Batch.Sequence s : batch.sequences()) {
            for (int t = 0; t < s.length(); t++) {
                int at = s.row() * batch.length() + s.start() + t;
                if (!set.isKept(s, t)) {
                    assertThat(s.tag()).isEqualTo(1);
                    assertThat(batch.labels()[at]).isEqualTo(batch.ids()[at]);
                    text.append(tokenizer.decode(new int[] {batch.ids()[at]}, false));
                } else {
                    kept++;
                }
            }
        }
        // Not the prompt's, and as two tokens: t and he.
        assertThat(text.toString()).isEqualTo("the");
        assertThat(kept).isEqualTo(batch.tokens() - 2);
    }

    @Test
    void findsTheTokensOfAConcept() {
        assertThat(UnlearnSet.concept(tokenizer, Set.of("he a")))
                .containsExactlyInAnyOrder(256, (int) 'a');
    }

    @Test
    void namesFileAndLineOfWhatIsWrong() {
        String good = "{\"prompt\":\"a\",\"completion\":\"b\",\"kind\":4}";
        assertThatThrownBy(() -> read(good, "{\"prompt\":\"a\",\"completion\":\"b\",\"kind\":5}"))
                .hasMessageContaining("unlearn.jsonl:2")
                .hasMessageContaining("1 to 4");
        assertThatThrownBy(() ->
                        read(
                                "{\"prompt\":\"a\",\"completion\":\"b\",\"kind\":2,\"specified\":\"a\"}"))
                .hasMessageContaining("unlearn.jsonl:1")
                .hasMessageContaining("not in the completion");
        assertThatThrownBy(() -> read("")).hasMessageContaining("empty data file");
    }
}
