package io.github.panagrad.engine.ground;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class BlockStorageTest {
    private final Random random = new Random(Long.getLong("panagrad.seed", 1));

    private float[] row(int n) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            // Blocks of very different sizes, and some of zeros.
            values[i] = (float) (random.nextGaussian() * Math.pow(4, i / 50 % 5 - 2));
        }
        return values;
    }

    private static float[] read(BlockStorage storage, int row) {
        float[] values = new float[storage.inner()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) storage.getDouble((long) row * values.length + i);
        }
        return values;
    }

    private static float largest(float[] values, int from, int to) {
        float largest = 0;
        for (int i = from; i < Math.min(to, values.length); i++) {
            largest = Math.max(largest, Math.abs(values[i]));
        }
        return largest;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 31, 32, 33, 63, 64, 65, 97, 288, 300, 1000})
    void keepsQ8WithinHalfAStep(int n) {
        var storage = BlockStorage.allocate(DType.Q8, Shape.of(3, n));
        for (int r = 2; r >= 0; r--) {
            float[] values = row(n);
            storage.quantise(r, values, 0);
            float[] back = read(storage, r);
            for (int i = 0; i < n; i++) {
                float block = largest(values, i / 32 * 32, i / 32 * 32 + 32);
                assertThat(Math.abs(back[i] - values[i])).isLessThanOrEqualTo(block / 253.9f);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 31, 32, 33, 63, 64, 65, 97, 288, 300, 1000})
    void keepsNf4WithinHalfTheWidestGap(int n) {
        var storage = BlockStorage.allocate(DType.NF4, Shape.of(3, n));
        for (int r = 2; r >= 0; r--) {
            float[] values = row(n);
            storage.quantise(r, values, 0);
            float[] back = read(storage, r);
            float whole = largest(values, 0, n);
            for (int i = 0; i < n; i++) {
                float scale = largest(values, i / 64 * 64, i / 64 * 64 + 64) + whole / 255;
                assertThat(Math.abs(back[i] - values[i])).isLessThanOrEqualTo(0.152f * scale);
            }
        }
    }

    @Test
    void hasTheLevelsOfNf4() {
        float[] levels = BlockStorage.nf4Levels();
        assertThat(levels).hasSize(16).isSorted();
        assertThat(levels[0]).isEqualTo(-1);
        assertThat(levels[7]).isZero();
        assertThat(levels[15]).isEqualTo(1);
        // The levels themselves come back exactly where the scale is exact.
        var storage = BlockStorage.allocate(DType.NF4, Shape.of(16));
        float[] scaled = new float[16];
        for (int i = 0; i < 16; i++) {
            scaled[i] = 255 * levels[i];
        }
        storage.quantise(0, scaled, 0);
        assertThat(read(storage, 0)).containsExactly(scaled);
    }

    @Test
    void picksTheNearestLevel() {
        float[] levels = BlockStorage.nf4Levels();
        var storage = BlockStorage.allocate(DType.NF4, Shape.of(64));
        for (int round = 0; round < 100; round++) {
            float[] values = row(64);
            values[5] = 255;
            storage.quantise(0, values, 0);
            float[] back = read(storage, 0);
            for (int i = 0; i < 64; i++) {
                float scale = storage.scale(0, i / 32);
                float nearest = Float.MAX_VALUE;
                for (float level : levels) {
                    nearest = Math.min(nearest, Math.abs(values[i] - level * scale));
                }
                assertThat(Math.abs(values[i] - back[i])).isLessThanOrEqualTo(nearest * 1.00001f);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8", "NF4"})
    void keepsZerosAndTinyValues(DType type) {
        var storage = BlockStorage.allocate(type, Shape.of(70));
        storage.quantise(0, new float[70], 0);
        assertThat(read(storage, 0)).containsOnly(0);
        float[] tiny = new float[70];
        tiny[3] = Float.MIN_VALUE;
        tiny[69] = -Float.MIN_VALUE;
        storage.quantise(0, tiny, 0);
        assertThat(read(storage, 0)).containsOnly(0);
        float[] huge = new float[70];
        huge[3] = 3e38f;
        storage.quantise(0, huge, 0);
        assertThat(read(storage, 0)[3]).isFinite().isGreaterThan(2.99e38f);
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8", "NF4"})
    void refusesWhatItCannotHold(DType type) {
        var storage = BlockStorage.allocate(type, Shape.of(2, 40));
        float[] values = row(40);
        values[17] = Float.NaN;
        assertThatThrownBy(() -> storage.quantise(1, values, 0))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("row 1, column 17");
        assertThatThrownBy(() -> storage.setDouble(0, 1)).isInstanceOf(PanagradException.class);
        assertThatThrownBy(type::bytes).isInstanceOf(PanagradException.class);
        var segment = Arena.ofAuto().allocate(100);
        assertThatThrownBy(() -> BlockStorage.of(type, Shape.of(2, 40), segment))
                .isInstanceOf(PanagradException.class);
    }

    @Test
    void wrapsASegmentOfItsSize() {
        var storage = BlockStorage.allocate(DType.NF4, Shape.of(3, 40));
        for (int r = 0; r < 3; r++) {
            storage.quantise(r, row(40), 0);
        }
        var again = BlockStorage.of(DType.NF4, Shape.of(3, 40), storage.segment());
        assertThat(read(again, 2)).containsExactly(read(storage, 2));
    }

    @Test
    void takesTheBitsItShould() {
        // A row of 288: nine units, five blocks.
        assertThat(BlockStorage.byteSize(DType.NF4, Shape.of(10, 288))).isEqualTo(10 * 153);
        assertThat(BlockStorage.byteSize(DType.Q8, Shape.of(10, 288))).isEqualTo(10 * 324);
        var storage = BlockStorage.allocate(DType.NF4, Shape.of(2, 5, 288));
        assertThat(storage.byteSize()).isEqualTo(1530).isLessThan((long) (0.135 * 4 * 2880));
        assertThat(storage.segment().byteSize()).isEqualTo(1530);
    }
}
