package io.github.panagrad.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PairShuffleTest {
    @Test
    void hitRowsSwapAnswersAndKeepNone() {
        int rows = 4000;
        var shuffle = PairShuffle.of(rows, 0.3, 11);
        List<Integer> answers = shuffle.apply(IntStream.range(0, rows).boxed().toList());
        int hits = 0;
        for (int row = 0; row < rows; row++) {
            assertThat(answers.get(row)).isEqualTo(shuffle.source(row));
            hits += shuffle.isHit(row) ? 1 : 0;
        }
        assertThat((double) hits / rows).isCloseTo(0.3, offset(3 * Math.sqrt(0.21 / rows)));
        assertThat(answers).doesNotHaveDuplicates().hasSize(rows);
    }

    @Test
    void whoIsHitDependsOnTheRowAlone() {
        var few = PairShuffle.of(100, 0.5, 3);
        var many = PairShuffle.of(1000, 0.5, 3);
        for (int row = 0; row < 100; row++) {
            assertThat(few.isHit(row)).isEqualTo(many.isHit(row));
        }
        assertThat(PairShuffle.of(100, 0.5, 3).source(7)).isEqualTo(few.source(7));
        assertThat(IntStream.range(0, 50).filter(PairShuffle.of(50, 1, 3)::isHit).count())
                .isEqualTo(50);
        assertThat(IntStream.range(0, 50).noneMatch(PairShuffle.of(50, 0, 3)::isHit)).isTrue();
    }

    @Test
    void aSingleRowKeepsItsAnswer() {
        assertThat(PairShuffle.of(1, 1, 3).isHit(0)).isFalse();
        assertThatThrownBy(() -> PairShuffle.of(3, -1, 3)).hasMessageContaining("0 to 1");
        assertThatThrownBy(() -> PairShuffle.of(3, 1, 3).apply(List.of("a")))
                .hasMessageContaining("other rows");
    }
}
