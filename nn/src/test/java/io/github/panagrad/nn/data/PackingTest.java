package io.github.panagrad.nn.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PackingTest {
    @Test
    void neverOverfillsNorLosesNorOpensARowNeedlessly() {
        for (long seed = 0; seed < 200; seed++) {
            var random = new Random(seed);
            int capacity = 1 + random.nextInt(30);
            int[] lengths = random.ints(random.nextInt(60), 1, capacity + 1).toArray();
            int[] order = IntStream.range(0, lengths.length).toArray();
            var rows = Packing.bestFit(order, i -> lengths[i], capacity);
            int[] seen = new int[lengths.length];
            int halfEmpty = 0;
            int latestFirst = -1;
            for (int[] row : rows) {
                int sum = 0;
                for (int item : row) {
                    seen[item]++;
                    sum += lengths[item];
                }
                assertThat(sum).as("seed %d", seed).isBetween(1, capacity);
                halfEmpty += 2 * sum <= capacity ? 1 : 0;
                assertThat(row[0]).as("seed %d", seed).isGreaterThan(latestFirst);
                latestFirst = row[0];
            }
            assertThat(IntStream.of(seen).allMatch(n -> n == 1)).as("seed %d", seed).isTrue();
            // Two rows that are half empty would have shared one.
            assertThat(halfEmpty).as("seed %d", seed).isLessThanOrEqualTo(1);
        }
    }
}
