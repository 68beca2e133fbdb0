package io.github.panagrad.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Half;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class WidenTest {
    private static final int ALL = 1 << 16;
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment everyShort = Arena.ofAuto().allocate(2 * ALL);

    WidenTest() {
        for (int i = 0; i < ALL; i++) {
            everyShort.set(SHORT, 2L * i, (short) i);
        }
    }

    @Test
    void widensEveryBf16() {
        float[] wide = new float[ALL];
        Widen.run(DType.BF16, everyShort, 0, wide, 0, ALL);
        for (int i = 0; i < ALL; i++) {
            assertSame(wide[i], Half.bf16ToFloat((short) i), i);
        }
    }

    @Test
    void widensEveryF16() {
        float[] wide = new float[ALL];
        Widen.run(DType.F16, everyShort, 0, wide, 0, ALL);
        for (int i = 0; i < ALL; i++) {
            assertSame(wide[i], Float.float16ToFloat((short) i), i);
        }
    }

    @Test
    void widensEveryI8() {
        MemorySegment bytes = Arena.ofAuto().allocate(256);
        for (int i = 0; i < 256; i++) {
            bytes.set(ValueLayout.JAVA_BYTE, i, (byte) i);
        }
        float[] wide = new float[256];
        Widen.run(DType.I8, bytes, 0, wide, 0, 256);
        for (int i = 0; i < 256; i++) {
            assertSame(wide[i], (byte) i, i);
        }
    }

    @Test
    void touchesNothingAround() {
        for (DType type : new DType[] {DType.BF16, DType.F16, DType.I8}) {
            for (int count = 0; count < 70; count++) {
                float[] wide = new float[80];
                Widen.run(type, everyShort, 20_001, wide, 3, count);
                for (int i = 0; i < 80; i++) {
                    if (i < 3 || i >= 3 + count) {
                        assertThat(wide[i]).as("%s, %d of them, at %d", type, count, i).isZero();
                    }
                }
                if (count > 1) {
                    assertThat(wide[2 + count]).as("%s, the last of %d", type, count).isNotZero();
                }
            }
        }
    }

    private static void assertSame(float actual, float expected, int bits) {
        if (Float.isNaN(expected)) {
            assertThat(actual).as("bits %04x", bits).isNaN();
        } else {
            assertThat(Float.floatToRawIntBits(actual))
                    .as("bits %04x", bits)
                    .isEqualTo(Float.floatToRawIntBits(expected));
        }
    }
}
