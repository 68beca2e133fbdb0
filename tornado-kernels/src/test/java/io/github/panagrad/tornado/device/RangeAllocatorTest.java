package io.github.panagrad.tornado.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Random;
import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

class RangeAllocatorTest {
    @Test
    void handsOutRangesThatDoNotOverlapAndJoinsThemAgain() {
        int capacity = 1 << 16;
        var ranges = new RangeAllocator(RangeAllocator.FIRST + capacity);
        long seed = System.nanoTime();
        var random = new Random(seed);
        var held = new ArrayList<int[]>();
        boolean[] taken = new boolean[RangeAllocator.FIRST + capacity];
        for (int round = 0; round < 20_000; round++) {
            if (random.nextInt(3) > 0) {
                int length = 1 + random.nextInt(2000);
                int at = ranges.take(length);
                if (at >= 0) {
                    assertThat((TornadoNativeArray.ARRAY_HEADER + 4L * at) % 128).isZero();
                    for (int i = at; i < at + length; i++) {
                        assertThat(taken[i]).as("seed " + seed).isFalse();
                        taken[i] = true;
                    }
                    held.add(new int[] {at, length});
                }
            } else if (!held.isEmpty()) {
                int[] range = held.remove(random.nextInt(held.size()));
                java.util.Arrays.fill(taken, range[0], range[0] + range[1], false);
                ranges.giveBack(range[0], range[1]);
            }
        }
        held.forEach(range -> ranges.giveBack(range[0], range[1]));

        assertThat(ranges.used()).isZero();
        assertThat(ranges.take(capacity)).as("seed " + seed).isEqualTo(RangeAllocator.FIRST);
    }

    @Test
    void refusesWhatDoesNotFit() {
        var ranges = new RangeAllocator(RangeAllocator.FIRST + 64);

        assertThat(ranges.take(65)).isNegative();
        assertThat(ranges.take(64)).isEqualTo(RangeAllocator.FIRST);
        assertThat(ranges.take(1)).isNegative();
        assertThat(ranges.peak()).isEqualTo(64);
    }
}
