package io.github.panagrad.nn.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.nn.TinyModels;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.ReferenceScores.Score;
import io.github.panagrad.nn.train.Evaluator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReferenceScoresTest {
    @TempDir Path folder;

    private static List<Example> examples() {
        var examples = new ArrayList<Example>();
        for (int i = 0; i < 6; i++) {
            examples.add(Example.of(TinyModels.ids(i, 1, 4 + i).toInts()));
        }
        return examples;
    }

    private static List<String> keys() {
        return IntStream.range(0, 6).mapToObj(i -> ReferenceScores.key("prompt", "" + i)).toList();
    }

    @Test
    void scoresAreWhatTheEvaluatorFinds() {
        var model = CausalLM.create(TinyModels.config(TinyModels.decoder("llama")), 5);
        var scores = new ReferenceScores("tiny");
        scores.score(model, Batches.of(examples()).size(4), keys());
        double[] means = ReferenceScores.means(keys(), scores);
        for (int i = 0; i < 6; i++) {
            var one = Evaluator.of(model).run(Batches.of(examples().subList(i, i + 1)));
            assertThat(means[i]).isCloseTo(-one.loss(), offset(1e-5));
            Score score = scores.find(keys().get(i));
            assertThat(score).isNotNull();
            assertThat(score).extracting(Score::tokens).isEqualTo(3 + i);
        }
        // Asked again, in other batches: nothing is computed, nothing changes.
        scores.score(model, Batches.of(examples()).size(1), keys());
        assertThat(ReferenceScores.means(keys(), scores)).isEqualTo(means);
    }

    @Test
    void theFileHasTheSameBytesWhoeverWroteFirst() throws IOException {
        var forward = new ReferenceScores("a");
        var threads = new ReferenceScores("a");
        IntStream.range(0, 200)
                .forEach(i -> forward.put(ReferenceScores.key("", "" + i), new Score(-i / 7.0, 3)));
        IntStream.range(0, 200)
                .parallel()
                .forEach(i -> threads.put(ReferenceScores.key("", "" + i), new Score(-i / 7.0, 3)));
        Path one = folder.resolve("one.json");
        Path two = folder.resolve("two.json");
        forward.write(one);
        threads.write(two);
        assertThat(Files.readAllBytes(two)).isEqualTo(Files.readAllBytes(one));
        var read = ReferenceScores.read(one);
        assertThat(read.model()).isEqualTo("a");
        assertThat(read.size()).isEqualTo(200);
        assertThat(read.find(ReferenceScores.key("", "8"))).isEqualTo(new Score(-8 / 7.0, 3));
    }

    @Test
    void identicalReferencesAreOne() {
        var a = new ReferenceScores("a");
        var b = new ReferenceScores("b");
        String key = ReferenceScores.key("p", "x");
        a.put(key, new Score(-1.25, 4));
        b.put(key, new Score(-1.75, 9));
        assertThat(ReferenceScores.means(List.of(key), a, a, a)).containsExactly(-1.25);
        assertThat(ReferenceScores.means(List.of(key), a, b)).containsExactly(-1.5);
    }

    @Test
    void keysTellPromptFromAnswer() {
        assertThat(ReferenceScores.key("ab", "c"))
                .hasSize(64)
                .isNotEqualTo(ReferenceScores.key("a", "bc"))
                .isEqualTo(ReferenceScores.key("ab", "c"));
    }

    @Test
    void missingAndContradictingScoresAreNamed() {
        var scores = new ReferenceScores("zephyr");
        scores.put(ReferenceScores.key("p", "0"), new Score(-1, 2));
        var keys = List.of(ReferenceScores.key("p", "0"), ReferenceScores.key("p", "changed"));
        assertThatThrownBy(() -> ReferenceScores.means(keys, scores))
                .hasMessageContaining("no score of example 1 by zephyr")
                .hasMessageContaining("score the data anew");
        assertThatThrownBy(() -> ReferenceScores.means(keys))
                .hasMessageContaining("no reference")
                .hasMessageContaining("score the data");
        assertThatThrownBy(() -> scores.put(keys.get(0), new Score(-2, 2)))
                .hasMessageContaining("another score already");
        assertThatThrownBy(() -> scores.put("k", new Score(0.5, 2)))
                .hasMessageContaining("no log-probability");
    }
}
