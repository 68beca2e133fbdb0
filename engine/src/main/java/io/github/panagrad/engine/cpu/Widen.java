package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.I;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static jdk.incubator.vector.VectorOperators.B2F;
import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_S2I;

import io.github.panagrad.engine.ground.BlockStorage;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Half;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Storage;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Reads runs of stored elements (BF16, F16, I8; by [BlockWiden] Q8 and NF4) from native segments
/// as floats, exactly.
///
/// Whoever needs stored weights widens them into an array, a part at a time, on the way to the
/// kernel; only products of a single row read segments themselves ([Bf16Row], [BlockRow]).
final class Widen {
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE);
    private static final VectorSpecies<Short> S =
            VectorSpecies.of(short.class, VectorShape.forBitSize(16 * V));
    private static final VectorSpecies<Byte> B =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, 8 * V)));

    private Widen() {}

    /// Widens `count` elements from element `from` of the storage to `dst` at `at`.
    static void run(Storage src, long from, float[] dst, int at, int count) {
        if (src instanceof BlockStorage blocks) {
            BlockWiden.run(blocks, from, dst, at, count);
        } else {
            run(src.dtype(), src.segment(), from, dst, at, count);
        }
    }

    /// Widens `count` elements from element `from` of the segment to `dst` at `at`.
    static void run(DType dtype, MemorySegment src, long from, float[] dst, int at, int count) {
        switch (dtype) {
            case BF16 -> bf16(src, 2 * from, dst, at, count);
            case F16 -> f16(src, 2 * from, dst, at, count);
            case I8 -> i8(src, from, dst, at, count);
            default ->
                    throw new PanagradException(
                            "widen", "not a stored type", dtype.label(), "bf16, f16 or i8", "");
        }
    }

    private static void bf16(MemorySegment src, long from, float[] dst, int at, int count) {
        int i = 0;
        for (; i <= count - V; i += V) {
            bits(src, from + 2L * i)
                    .lanewise(LSHL, 16)
                    .reinterpretAsFloats()
                    .intoArray(dst, at + i);
        }
        for (; i < count; i++) {
            dst[at + i] = Half.bf16ToFloat(src.get(SHORT, from + 2L * i));
        }
    }

    private static void f16(MemorySegment src, long from, float[] dst, int at, int count) {
        int i = 0;
        for (; i <= count - V; i += V) {
            halfToFloat(bits(src, from + 2L * i)).intoArray(dst, at + i);
        }
        for (; i < count; i++) {
            dst[at + i] = Float.float16ToFloat(src.get(SHORT, from + 2L * i));
        }
    }

    private static IntVector bits(MemorySegment src, long from) {
        return (IntVector)
                ShortVector.fromMemorySegment(S, src, from, LITTLE)
                        .convertShape(ZERO_EXTEND_S2I, I, 0);
    }

    /// Moves exponent and mantissa into place and rebiases the exponent by 127 − 15. Infinities and
    /// NaNs get the rest of the way to the largest exponent; subnormals are read as 2^-14 plus
    /// themselves, and 2^-14 is taken off again.
    private static FloatVector halfToFloat(IntVector half) {
        IntVector magnitude = half.and(0x7FFF).lanewise(LSHL, 13);
        VectorMask<Integer> special = magnitude.compare(GE, 0x1F << 23);
        VectorMask<Integer> subnormal = magnitude.compare(LT, 1 << 23);
        IntVector rebiased =
                magnitude.add(112 << 23).add(112 << 23, special).add(1 << 23, subnormal);
        FloatVector value = rebiased.reinterpretAsFloats();
        value = value.sub(0x1p-14f, subnormal.cast(F));
        IntVector sign = half.and(0x8000).lanewise(LSHL, 16);
        return value.reinterpretAsInts().or(sign).reinterpretAsFloats();
    }

    private static void i8(MemorySegment src, long from, float[] dst, int at, int count) {
        int i = 0;
        if (B.length() == V) {
            for (; i <= count - V; i += V) {
                ((FloatVector)
                                ByteVector.fromMemorySegment(B, src, from + i, LITTLE)
                                        .convertShape(B2F, F, 0))
                        .intoArray(dst, at + i);
            }
        }
        for (; i < count; i++) {
            dst[at + i] = src.get(ValueLayout.JAVA_BYTE, from + i);
        }
    }
}
