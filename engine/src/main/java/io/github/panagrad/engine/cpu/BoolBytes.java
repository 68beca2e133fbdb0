package io.github.panagrad.engine.cpu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Moves truth values between the bits of a vector mask and the bytes of a BOOL array, eight at a
/// time: there is no vector of 4 or 8 bytes to go through.
final class BoolBytes {
    private static final VarHandle LONGS =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long ONES = 0x0101010101010101L;

    private BoolBytes() {}

    /// Writes the lowest `n` bits to `n` bytes.
    static void store(long bits, byte[] to, int at, int n) {
        int i = 0;
        for (; i + 8 <= n; i += 8) {
            LONGS.set(to, at + i, Long.expand(bits >>> i, ONES));
        }
        for (; i < n; i++) {
            to[at + i] = (byte) (bits >>> i & 1);
        }
    }

    /// Reads `n` bytes as bits, the first as the lowest; any byte but 0 is true.
    static long load(byte[] from, int at, int n) {
        long bits = 0;
        int i = 0;
        for (; i + 8 <= n; i += 8) {
            long word = (long) LONGS.get(from, at + i);
            long nonZero = (word & ~(ONES << 7)) + ~(ONES << 7) | word;
            bits |= Long.compress(nonZero, ONES << 7) << i;
        }
        for (; i < n; i++) {
            bits |= (from[at + i] != 0 ? 1L : 0L) << i;
        }
        return bits;
    }
}
