package io.github.panagrad.engine.ground;

/// Conversions between F32 and bfloat16; the JDK has those for F16 ([Float#floatToFloat16]).
public final class Half {
    private Half() {}

    /// Widens a bfloat16 exactly.
    public static float bf16ToFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /// Rounds to the nearest bfloat16, ties to even; NaN stays NaN.
    public static short floatToBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) ((bits >>> 16) | 0x40);
        }
        return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
    }
}
