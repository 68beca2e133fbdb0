package io.github.panagrad.engine.cpu;

import static io.github.panagrad.engine.cpu.Lanes.F;
import static io.github.panagrad.engine.cpu.Lanes.I;
import static io.github.panagrad.engine.cpu.Lanes.V;
import static jdk.incubator.vector.VectorOperators.B2F;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.NE;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;

import io.github.panagrad.engine.ground.BlockStorage;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Codes of Q8 and NF4 in registers: from bytes to levels, without scales.
///
/// Byte vectors have at least 64 bits, so [#GROUP] codes are loaded at a time: as many as floats in
/// a vector, or twice as many if those are four. `part` says which half is meant then, and is 0
/// else.
final class BlockLanes {
    private static final VectorSpecies<Byte> B =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, 8 * V)));

    /// Codes that are loaded at a time.
    static final int GROUP = B.length();

    private static final IntVector LEVELS_0 = levels(0);
    private static final IntVector LEVELS_1 = levels(1);
    private static final IntVector LEVELS_2 = levels(2);
    private static final IntVector LEVELS_3 = levels(3);

    private BlockLanes() {}

    /// The levels of NF4 that vector `number` of the table holds, as bits.
    private static IntVector levels(int number) {
        float[] table = BlockStorage.nf4Levels();
        int[] bits = new int[V];
        for (int i = 0; i < V; i++) {
            bits[i] = Float.floatToRawIntBits(table[(number * V + i) % table.length]);
        }
        return IntVector.fromArray(I, bits, 0);
    }

    /// Returns signed bytes as floats.
    static FloatVector q8(MemorySegment src, long at, int part) {
        return (FloatVector)
                ByteVector.fromMemorySegment(B, src, at, ByteOrder.LITTLE_ENDIAN)
                        .convertShape(B2F, F, part);
    }

    /// Returns unsigned bytes as ints: pairs of NF4 codes.
    static IntVector pairs(MemorySegment src, long at, int part) {
        return (IntVector)
                ByteVector.fromMemorySegment(B, src, at, ByteOrder.LITTLE_ENDIAN)
                        .convertShape(ZERO_EXTEND_B2I, I, part);
    }

    /// Returns unsigned bytes as floats: the scales of NF4 blocks.
    static FloatVector unsigned(byte[] src, int at, int part) {
        var ints =
                (IntVector) ByteVector.fromArray(B, src, at).convertShape(ZERO_EXTEND_B2I, I, part);
        return (FloatVector) ints.convertShape(I2F, F, 0);
    }

    /// Returns the levels of the NF4 codes in the lowest four bits of each lane; selecting ignores
    /// the others.
    static FloatVector nf4(IntVector codes) {
        IntVector bits;
        if (V == 16) {
            bits = codes.selectFrom(LEVELS_0);
        } else if (V == 8) {
            bits = codes.selectFrom(LEVELS_0, LEVELS_1);
        } else {
            IntVector negative = codes.selectFrom(LEVELS_0, LEVELS_1);
            IntVector positive = codes.selectFrom(LEVELS_2, LEVELS_3);
            bits = negative.blend(positive, codes.and(8).compare(NE, 0));
        }
        return bits.reinterpretAsFloats();
    }
}
