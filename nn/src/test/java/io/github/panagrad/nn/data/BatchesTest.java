package io.github.panagrad.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.PanagradException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BatchesTest {
    private static final int NO = Example.IGNORED;

    /// Examples whose ids tell which example they belong to: 100·(number + 1) + position.
    private static List<Example> numbered(int... lengths) {
        var examples = new ArrayList<Example>();
        for (int i = 0; i < lengths.length; i++) {
            int[] ids = new int[lengths[i]];
            for (int t = 0; t < ids.length; t++) {
                ids[t] = 100 * (i + 1) + t;
            }
            examples.add(new Example(ids, ids, 10 + i));
        }
        return examples;
    }

    private static List<Batch> all(Batches batches) {
        var all = new ArrayList<Batch>();
        batches.forEach(all::add);
        return all;
    }

    private static List<int[]> contents(Iterable<Batch> batches) {
        var ids = new ArrayList<int[]>();
        batches.forEach(b -> ids.add(b.ids()));
        return ids;
    }

    private static void assertSame(List<int[]> actual, List<int[]> expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.size(); i++) {
            assertThat(actual.get(i)).isEqualTo(expected.get(i));
        }
    }

    @Test
    void padsRowsToTheLongestOfTheirBatch() {
        var batches = all(Batches.of(numbered(2, 3, 1)).size(2).padId(7));
        assertThat(batches).hasSize(2);
        Batch first = batches.getFirst();
        assertThat(first.size()).isEqualTo(2);
        assertThat(first.length()).isEqualTo(3);
        assertThat(first.ids()).containsExactly(100, 101, 7, 200, 201, 202);
        assertThat(first.labels()).containsExactly(NO, 101, NO, NO, 201, 202);
        assertThat(first.targets()).containsExactly(101, NO, NO, 201, 202, NO);
        assertThat(first.positions()).containsExactly(0, 1, 0, 0, 1, 2);
        assertThat(first.segments()).containsExactly(1, 1, 0, 1, 1, 1);
        assertThat(first.mask()).containsExactly(1, 1, 0, 1, 1, 1);
        assertThat(first.lengths()).containsExactly(2, 3);
        assertThat(first.tags()).containsExactly(10, 10, 0, 11, 11, 11);
        assertThat(first.tokens()).isEqualTo(5);
        assertThat(first.predicted()).isEqualTo(3);
        assertThat(first.isPadded()).isTrue();
        assertThat(first.isPacked()).isFalse();
        assertThat(batches.get(1).ids()).containsExactly(300);
        assertThat(batches.get(1).isPadded()).isFalse();
    }

    @Test
    void packsRowsAndKeepsSequencesApart() {
        var batches = all(Batches.of(numbered(3, 4, 2, 1)).size(2).packed(6));
        assertThat(batches).hasSize(1);
        Batch batch = batches.getFirst();
        // 3 begins a row, 4 another, 2 fits the second best, 1 the first.
        assertThat(batch.ids())
                .containsExactly(100, 101, 102, 400, 0, 0, 200, 201, 202, 203, 300, 301);
        assertThat(batch.positions()).containsExactly(0, 1, 2, 0, 0, 0, 0, 1, 2, 3, 0, 1);
        assertThat(batch.segments()).containsExactly(1, 1, 1, 2, 0, 0, 1, 1, 1, 1, 2, 2);
        assertThat(batch.labels())
                .containsExactly(NO, 101, 102, NO, NO, NO, NO, 201, 202, 203, NO, 301);
        assertThat(batch.targets())
                .containsExactly(101, 102, NO, NO, NO, NO, 201, 202, 203, NO, 301, NO);
        assertThat(batch.tags()).containsExactly(10, 10, 10, 13, 0, 0, 11, 11, 11, 11, 12, 12);
        assertThat(batch.sequences())
                .containsExactly(
                        new Batch.Sequence(0, 0, 3, 0, 10),
                        new Batch.Sequence(0, 3, 1, 3, 13),
                        new Batch.Sequence(1, 0, 4, 1, 11),
                        new Batch.Sequence(1, 4, 2, 2, 12));
        assertThat(batch.lengths()).containsExactly(4, 6);
        assertThat(batch.isPacked()).isTrue();
    }

    @Test
    void keepsIgnoredLabels() {
        var example = new Example(new int[] {1, 2, 3}, new int[] {NO, NO, 3}, 0);
        Batch batch = Batches.of(List.of(example)).iterator().next();
        assertThat(batch.labels()).containsExactly(NO, NO, 3);
        assertThat(batch.targets()).containsExactly(NO, 3, NO);
        assertThat(batch.predicted()).isEqualTo(1);
    }

    @Test
    void givesEveryExampleOnceAnEpochInEveryMode() {
        for (long seed = 0; seed < 60; seed++) {
            var random = new Random(seed);
            int n = 1 + random.nextInt(40);
            int longest = 1 + random.nextInt(20);
            int[] lengths = random.ints(n, 1, longest + 1).toArray();
            var batches = Batches.of(numbered(lengths)).size(1 + random.nextInt(5)).epochs(2);
            if (random.nextBoolean()) {
                batches.packed(longest + random.nextInt(10));
            }
            if (random.nextBoolean()) {
                batches.shuffled(seed);
            }
            int[] seen = new int[n];
            long count = 0;
            for (Batch batch : batches) {
                count++;
                for (var s : batch.sequences()) {
                    seen[s.example()]++;
                    assertThat(s.length()).isEqualTo(lengths[s.example()]);
                    assertThat(s.tag()).isEqualTo(10 + s.example());
                    int at = s.row() * batch.length() + s.start();
                    for (int t = 0; t < s.length(); t++) {
                        assertThat(batch.ids()[at + t]).isEqualTo(100 * (s.example() + 1) + t);
                        assertThat(batch.positions()[at + t]).isEqualTo(t);
                    }
                }
                assertThat(batch.sequences().stream().mapToInt(Batch.Sequence::length).sum())
                        .isEqualTo(batch.tokens());
            }
            assertThat(seen).as("seed %d", seed).containsOnly(2);
            assertThat(batches.count()).as("seed %d", seed).isEqualTo(count);
            assertThat(batches.inEpoch(0) + batches.inEpoch(1)).isEqualTo((int) count);
        }
    }

    @Test
    void givesTheSameBatchesForTheSameSeedAndOthersForAnother() {
        var examples = numbered(new Random(1).ints(50, 1, 9).toArray());
        var one = contents(Batches.of(examples).size(4).packed(16).shuffled(5).epochs(3));
        var same = contents(Batches.of(examples).size(4).packed(16).shuffled(5).epochs(3));
        var other = contents(Batches.of(examples).size(4).packed(16).shuffled(6).epochs(3));
        assertSame(same, one);
        assertThat(other.getFirst()).isNotEqualTo(one.getFirst());
        int perEpoch = Batches.of(examples).size(4).packed(16).shuffled(5).inEpoch(0);
        assertThat(one.get(perEpoch)).as("epochs differ").isNotEqualTo(one.getFirst());
        var ordered = contents(Batches.of(examples).shuffled(5).ordered());
        assertThat(ordered.getFirst()[0]).isEqualTo(100);
    }

    @Test
    void shufflesEvenly() {
        int n = 6;
        int rounds = 6000;
        int[][] counts = new int[n][n];
        var batches = Batches.of(numbered(1, 1, 1, 1, 1, 1)).size(n).shuffled(3).epochs(rounds);
        for (Batch batch : batches) {
            for (int i = 0; i < n; i++) {
                counts[i][batch.ids()[i] / 100 - 1]++;
            }
        }
        // 1000 expected, standard deviation 29.
        for (int[] row : counts) {
            assertThat(Arrays.stream(row).boxed()).allMatch(c -> c > 850 && c < 1150);
        }
    }

    @Test
    void goesOnFromEveryPosition() {
        var examples = numbered(3, 1, 4, 1, 5, 2, 6, 5);
        var batches = Batches.of(examples).size(2).packed(7).shuffled(9).epochs(3);
        var whole = contents(batches);
        var cursor = batches.cursor();
        for (int done = 0; done <= whole.size(); done++) {
            var position = cursor.position();
            var again = Batches.of(examples).size(2).packed(7).shuffled(9).epochs(3);
            var rest = new ArrayList<int[]>();
            again.cursor(position).forEachRemaining(b -> rest.add(b.ids()));
            assertSame(rest, whole.subList(done, whole.size()));
            if (done < whole.size()) {
                cursor.next();
            }
        }
        assertThat(cursor.hasNext()).isFalse();
        assertThatThrownBy(cursor::next).isInstanceOf(NoSuchElementException.class);
    }

    @Test
    void refusesPositionsThatDoNotExist() {
        var batches = Batches.of(numbered(1, 1)).epochs(2);
        for (var wrong :
                List.of(
                        new Batches.Position(-1, 0),
                        new Batches.Position(0, 2),
                        new Batches.Position(0, -1),
                        new Batches.Position(2, 1),
                        new Batches.Position(3, 0))) {
            assertThatThrownBy(() -> batches.cursor(wrong))
                    .as(wrong.toString())
                    .isInstanceOf(PanagradException.class)
                    .hasMessageContaining("no such position");
        }
        assertThat(batches.cursor(new Batches.Position(2, 0)).hasNext()).isFalse();
    }

    @Test
    void goesOnForeverWhenAsked() {
        var batches = Batches.of(numbered(1, 1, 1)).size(2).endless();
        assertThat(batches.count()).isEqualTo(Long.MAX_VALUE);
        var cursor = batches.cursor();
        for (int i = 0; i < 1001; i++) {
            cursor.next();
        }
        assertThat(cursor.position()).isEqualTo(new Batches.Position(500, 1));
    }

    @Test
    void refusesWhatCannotWork() {
        assertThatThrownBy(() -> Batches.of(List.of()))
                .isInstanceOf(PanagradException.class)
                .hasMessage("batches: no examples; expected at least one");
        assertThatThrownBy(() -> Batches.of(numbered(1)).size(0))
                .isInstanceOf(PanagradException.class)
                .hasMessage("batch size: not positive; got 0; expected 1 or more");
        assertThatThrownBy(() -> Batches.of(numbered(2, 9)).packed(8))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining(
                        "example 1 does not fit a packed row; got 9 tokens; expected at most 8");
        assertThatThrownBy(() -> new Example(new int[2], new int[1], 0))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("got 2 tokens and 1 labels");
    }

    @Test
    void packsTightly() {
        int[] lengths = new Random(2).ints(2000, 1, 513).toArray();
        int total = Arrays.stream(lengths).sum();
        var batches = Batches.of(numbered(lengths)).packed(1024).shuffled(1);
        assertThat(batches.inEpoch(0)).isLessThan((int) (1.05 * total / 1024));
    }
}
