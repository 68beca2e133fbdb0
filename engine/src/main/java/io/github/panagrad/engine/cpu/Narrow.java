package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static jdk.incubator.vector.VectorOperators.I2S;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.NE;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Half;
import io.github.panagrad.engine.ground.PanagradException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Writes floats to native segments of BF16, F16 or I8: the reverse of [Widen].
///
/// BF16 and F16 round to nearest, ties to even, and keep NaN a NaN; I8 cuts off the fraction.
final class Narrow {
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE);
    private static final VectorSpecies<Short> S =
            VectorSpecies.of(short.class, VectorShape.forBitSize(16 * V));

    private Narrow() {}

    /// Writes `count` floats from `at` to the elements of the segment from `to` on.
    static void run(DType dtype, float[] src, int at, MemorySegment dst, long to, int count) {
        switch (dtype) {
            case BF16 -> bf16(src, at, dst, 2 * to, count);
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    dst.set(SHORT, 2 * (to + i), Float.floatToFloat16(src[at + i]));
                }
            }
            case I8 -> {
                for (int i = 0; i < count; i++) {
                    dst.set(ValueLayout.JAVA_BYTE, to + i, (byte) src[at + i]);
                }
            }
            default ->
                    throw new PanagradException(
                            "narrow", "not a stored type", dtype.label(), "bf16, f16 or i8", "");
        }
    }

    private static void bf16(float[] src, int at, MemorySegment dst, long to, int count) {
        int i = 0;
        for (; i <= count - V; i += V) {
            FloatVector x = FloatVector.fromArray(F, src, at + i);
            IntVector bits = x.reinterpretAsInts();
            IntVector upper = bits.lanewise(LSHR, 16);
            IntVector rounded = bits.add(upper.and(1)).add(0x7FFF).lanewise(LSHR, 16);
            rounded = rounded.blend(upper.or(0x40), x.compare(NE, x).cast(Lanes.I));
            ((ShortVector) rounded.convertShape(I2S, S, 0))
                    .intoMemorySegment(dst, to + 2L * i, LITTLE);
        }
        for (; i < count; i++) {
            dst.set(SHORT, to + 2L * i, Half.floatToBf16(src[at + i]));
        }
    }
}
