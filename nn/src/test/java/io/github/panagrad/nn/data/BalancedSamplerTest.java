package io.github.panagrad.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BalancedSamplerTest {
    /// Twenty rows of class 0, six of class 1, three of class 5.
    private static final int[] LABELS =
            IntStream.range(0, 29).map(i -> i < 20 ? 0 : i < 26 ? 1 : 5).toArray();

    @Test
    void batchesHaveSeveralRowsOfEachOfTheirClasses() {
        var sampler = BalancedSampler.of(LABELS, 3, 6, 1);
        List<int[]> batches = sampler.epoch(0);

        assertThat(batches).hasSize(5).hasSize(sampler.batchesPerEpoch());
        for (int[] batch : batches) {
            var counts =
                    Arrays.stream(batch)
                            .boxed()
                            .collect(Collectors.groupingBy(i -> LABELS[i], Collectors.counting()));
            assertThat(counts.values()).allMatch(n -> n % 3 == 0);
            assertThat(batch).hasSize(6);
        }
        long[] rows = new long[6];
        batches.forEach(batch -> Arrays.stream(batch).forEach(i -> rows[LABELS[i]]++));
        assertThat(rows[0]).isBetween(9L, 12L);
        assertThat(rows[5]).isBetween(9L, 12L);
    }

    @Test
    void noRowComesAgainBeforeItsClassIsThrough() {
        List<int[]> batches = BalancedSampler.of(LABELS, 2, 6, 1).epoch(0);
        var common =
                batches.stream().flatMapToInt(Arrays::stream).filter(i -> i < 20).boxed().toList();

        assertThat(new HashSet<>(common)).hasSameSizeAs(common);
    }

    @Test
    void epochsDifferAndRepeat() {
        var sampler = BalancedSampler.of(LABELS, 3, 6, 1);

        assertThat(sampler.epoch(1).getFirst()).isNotEqualTo(sampler.epoch(0).getFirst());
        assertThat(sampler.epoch(1).getFirst()).isEqualTo(sampler.epoch(1).getFirst());
        assertThat(BalancedSampler.of(LABELS, 3, 6, 2).epoch(0).getFirst())
                .isNotEqualTo(sampler.epoch(0).getFirst());
        assertThatThrownBy(() -> BalancedSampler.of(LABELS, 4, 6, 1))
                .hasMessageContaining("share out");
    }
}
