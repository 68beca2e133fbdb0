package io.github.panagrad.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.ground.Rng;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class InputCorruptionTest {
    private static final int VOCABULARY = 50;
    private static final int MASK = 3;
    private static final InputCorruption CORRUPTION =
            InputCorruption.of(MASK, VOCABULARY, 8).special(1, 2);

    /// Examples that begin with 1, end with 2, and have a prompt of a third.
    private static List<Example> examples(int count, int length) {
        var examples = new ArrayList<Example>();
        for (int e = 0; e < count; e++) {
            var draw = new Rng.Draw(1, e);
            int[] ids = new int[length + e % 3];
            for (int t = 0; t < ids.length; t++) {
                ids[t] = 4 + (int) (draw.uniform(t) * (VOCABULARY - 4));
            }
            ids[0] = 1;
            ids[ids.length - 1] = 2;
            int[] labels = ids.clone();
            Arrays.fill(labels, 0, length / 3, Example.IGNORED);
            examples.add(new Example(ids, labels, 0));
        }
        return examples;
    }

    private static Batch all(List<Example> examples) {
        return Batches.of(examples).size(examples.size()).iterator().next();
    }

    @Test
    void rateZeroChangesNothingAndRateOneHitsEveryTarget() {
        Batch batch = all(examples(6, 12));
        assertThat(CORRUPTION.corrupt(batch, 0, 0).ids()).isEqualTo(batch.ids());
        Batch hit = CORRUPTION.corrupt(batch, 0, 1);
        assertThat(hit.labels()).isEqualTo(batch.labels());
        assertThat(hit.targets()).isEqualTo(batch.targets());
        for (int i = 0; i < batch.ids().length; i++) {
            boolean target = batch.labels()[i] != Example.IGNORED && batch.ids()[i] != 2;
            assertThat(hit.ids()[i]).isEqualTo(target ? MASK : batch.ids()[i]);
        }
    }

    @Test
    void rateRisesAsInThePaper() {
        var corruption = CORRUPTION.rate(0.4).warmup(0.66);
        assertThat(corruption.rateAt(0, 100)).isZero();
        assertThat(corruption.rateAt(33, 100)).isCloseTo(0.197015, offset(1e-6));
        assertThat(corruption.rateAt(66, 100)).isCloseTo(0.394030, offset(1e-6));
        assertThat(corruption.rateAt(100, 100)).isEqualTo(0.4);
        assertThat(corruption.warmup(0).rateAt(0, 0)).isEqualTo(0.4);
        assertThatThrownBy(() -> corruption.rateAt(1, 0)).hasMessageContaining("length");
    }

    @Test
    void hitsAreAsManyAsTheRateSaysAndNeverInPrompts() {
        Batch batch = all(examples(200, 60));
        Batch hit = CORRUPTION.corrupt(batch, 2, 0.3);
        int targets = 0;
        int hits = 0;
        for (int i = 0; i < batch.ids().length; i++) {
            boolean changed = hit.ids()[i] != batch.ids()[i];
            if (batch.labels()[i] == Example.IGNORED || batch.ids()[i] <= 2) {
                assertThat(changed).isFalse();
            } else {
                targets++;
                hits += changed ? 1 : 0;
            }
        }
        double deviation = Math.sqrt(0.3 * 0.7 / targets);
        assertThat((double) hits / targets).isCloseTo(0.3, offset(3 * deviation));
    }

    @Test
    void replacementsAreOrdinaryTokens() {
        Batch batch = all(examples(60, 40));
        Batch hit = CORRUPTION.replaceRate(1).scope(InputCorruption.Scope.ALL).corrupt(batch, 0, 1);
        var seen = new HashMap<Integer, Integer>();
        for (Batch.Sequence s : batch.sequences()) {
            int from = s.row() * batch.length() + s.start();
            assertThat(hit.ids()[from]).isEqualTo(1);
            assertThat(hit.ids()[from + s.length() - 1]).isEqualTo(2);
            for (int t = 1; t < s.length() - 1; t++) {
                seen.merge(hit.ids()[from + t], 1, Integer::sum);
            }
        }
        assertThat(seen.keySet()).doesNotContain(1, 2, MASK).allMatch(id -> id < VOCABULARY);
        assertThat(seen).hasSize(VOCABULARY - 3);
        Batch half = CORRUPTION.replaceRate(0.5).corrupt(batch, 0, 1);
        assertThat(Arrays.stream(half.ids()).filter(id -> id == MASK).count()).isPositive();
        assertThat(half.ids()).isNotEqualTo(CORRUPTION.corrupt(batch, 0, 1).ids());
    }

    /// What was fed of each example, by its number.
    private static Map<Integer, List<Integer>> fed(Iterable<Batch> batches, int epoch) {
        var fed = new HashMap<Integer, List<Integer>>();
        for (Batch batch : batches) {
            Batch hit = CORRUPTION.corrupt(batch, epoch, 0.4);
            for (Batch.Sequence s : batch.sequences()) {
                int from = s.row() * batch.length() + s.start();
                int[] ids = Arrays.copyOfRange(hit.ids(), from, from + s.length());
                fed.put(s.example(), Arrays.stream(ids).boxed().toList());
            }
        }
        return fed;
    }

    @Test
    void hitsDependOnExampleAndEpochAlone() {
        List<Example> examples = examples(20, 15);
        var padded = fed(Batches.of(examples).size(20), 1);
        assertThat(fed(Batches.of(examples).size(3).shuffled(5), 1)).isEqualTo(padded);
        assertThat(fed(Batches.of(examples).size(2).packed(64), 1)).isEqualTo(padded);
        assertThat(fed(Batches.of(examples).size(20), 2)).isNotEqualTo(padded);
    }

    @Test
    void chainsEndAtTheMarkOfTheAnswer() {
        int none = Example.IGNORED;
        // A mark in the question does not count; 7 8 does in the answer, 7 alone does not.
        int[] marked = {1, 7, 8, 20, 21, 7, 22, 7, 8, 30, 2};
        int[] unmarked = {1, 7, 8, 20, 21, 22, 2};
        var examples = new ArrayList<Example>();
        for (int[] ids : List.of(marked, unmarked)) {
            int[] labels = ids.clone();
            Arrays.fill(labels, 0, 3, none);
            examples.add(new Example(ids, labels, 0));
        }
        Batch packed = Batches.of(examples).packed(32).iterator().next();
        var chain = CORRUPTION.chain(7, 8);
        int[] hit = chain.corrupt(packed, 0, 1).ids();
        assertThat(Arrays.copyOf(hit, 11))
                .containsExactly(1, 7, 8, MASK, MASK, MASK, MASK, 7, 8, 30, 2);
        assertThat(Arrays.copyOfRange(hit, 11, 18)).containsExactly(1, 7, 8, MASK, MASK, MASK, 2);
        // The same draws as without a scope: only which of them count differs.
        Batch some = CORRUPTION.corrupt(packed, 0, 0.5);
        int[] fewer = chain.corrupt(packed, 0, 0.5).ids();
        for (int i = 0; i < 7; i++) {
            assertThat(fewer[i]).isEqualTo(some.ids()[i]);
        }
        assertThatThrownBy(() -> CORRUPTION.scope(InputCorruption.Scope.CHAIN))
                .hasMessageContaining("use chain(ids)");
        assertThatThrownBy(CORRUPTION::chain).hasMessageContaining("empty mark");
    }

    @Test
    void badSettingsAreRefused() {
        assertThatThrownBy(() -> InputCorruption.of(50, 50, 0)).hasMessageContaining("mask 50");
        assertThatThrownBy(() -> CORRUPTION.rate(1.5)).hasMessageContaining("rate is out of range");
        assertThatThrownBy(() -> CORRUPTION.replaceRate(-1)).hasMessageContaining("0 to 1");
    }
}
