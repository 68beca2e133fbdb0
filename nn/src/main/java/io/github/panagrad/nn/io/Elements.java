package io.github.panagrad.nn.io;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Half;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Moves elements between little-endian bytes and Java arrays.
///
/// Segments are copied to arrays in blocks and converted there. Models are loaded once, by a JVM
/// that has compiled little, and in it this beats loops over the mapped segment.
final class Elements {
    private static final int BLOCK = 8192;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Elements() {}

    /// Reads `n` elements of a floating type or I8 as floats into `into`, from index `at` on.
    static void toFloats(DType dtype, MemorySegment data, float[] into, int at, int n) {
        switch (dtype) {
            case F32 -> MemorySegment.copy(data, FLOAT, 0, into, at, n);
            case BF16, F16 -> {
                short[] block = new short[Math.min(n, BLOCK)];
                for (int done = 0; done < n; done += BLOCK) {
                    int m = Math.min(BLOCK, n - done);
                    MemorySegment.copy(data, SHORT, 2L * done, block, 0, m);
                    if (dtype == DType.BF16) {
                        fromBf16(block, into, at + done, m);
                    } else {
                        fromF16(block, into, at + done, m);
                    }
                }
            }
            case F64 -> {
                double[] block = new double[Math.min(n, BLOCK)];
                for (int done = 0; done < n; done += BLOCK) {
                    int m = Math.min(BLOCK, n - done);
                    MemorySegment.copy(data, DOUBLE, 8L * done, block, 0, m);
                    for (int i = 0; i < m; i++) {
                        into[at + done + i] = (float) block[i];
                    }
                }
            }
            case I8 -> {
                for (int i = 0; i < n; i++) {
                    into[at + i] = data.get(ValueLayout.JAVA_BYTE, i);
                }
            }
            case I32, I64, BOOL, Q8, NF4 -> throw new IllegalArgumentException(dtype.label());
        }
    }

    private static void fromBf16(short[] bits, float[] into, int at, int n) {
        for (int i = 0; i < n; i++) {
            into[at + i] = Half.bf16ToFloat(bits[i]);
        }
    }

    private static void fromF16(short[] bits, float[] into, int at, int n) {
        for (int i = 0; i < n; i++) {
            into[at + i] = Float.float16ToFloat(bits[i]);
        }
    }

    /// Reads `n` elements of type I32 or I64.
    static long[] toLongs(DType dtype, MemorySegment data, int n) {
        long[] values = new long[n];
        if (dtype == DType.I64) {
            MemorySegment.copy(data, LONG, 0, values, 0, n);
        } else {
            int[] narrow = toInts(data, n);
            for (int i = 0; i < n; i++) {
                values[i] = narrow[i];
            }
        }
        return values;
    }

    /// Reads `n` elements of type I32.
    static int[] toInts(MemorySegment data, int n) {
        int[] values = new int[n];
        MemorySegment.copy(data, INT, 0, values, 0, n);
        return values;
    }

    /// Reads `n` elements of type F64.
    static double[] toDoubles(MemorySegment data, int n) {
        double[] values = new double[n];
        MemorySegment.copy(data, DOUBLE, 0, values, 0, n);
        return values;
    }

    /// Reads `n` elements of type BOOL as zeros and ones, whatever the file has for true.
    static byte[] toTruths(MemorySegment data, int n) {
        byte[] values = new byte[n];
        MemorySegment.copy(data, ValueLayout.JAVA_BYTE, 0, values, 0, n);
        for (int i = 0; i < n; i++) {
            values[i] = (byte) (values[i] == 0 ? 0 : 1);
        }
        return values;
    }

    /// Appends floats to a little-endian buffer in the given floating type; the buffer has room.
    static void put(DType dtype, float[] values, int from, int n, ByteBuffer out) {
        switch (dtype) {
            case F32 -> {
                out.asFloatBuffer().put(values, from, n);
                out.position(out.position() + 4 * n);
            }
            case F64 -> {
                for (int i = 0; i < n; i++) {
                    out.putDouble(values[from + i]);
                }
            }
            case BF16, F16 -> {
                short[] block = new short[n];
                for (int i = 0; i < n; i++) {
                    float value = values[from + i];
                    block[i] =
                            dtype == DType.BF16
                                    ? Half.floatToBf16(value)
                                    : Float.floatToFloat16(value);
                }
                out.asShortBuffer().put(block);
                out.position(out.position() + 2 * n);
            }
            case I8, I32, I64, BOOL, Q8, NF4 -> throw new IllegalArgumentException(dtype.label());
        }
    }
}
