package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.ground.DType;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// How kernels read BF16 and F16 numbers, which lie in the halves of the device's ints.
final class Halves {
    /// What a launch is told of BF16.
    static final int BF16 = 1;

    /// What a launch is told of F16.
    static final int F16 = 2;

    /// The difference of the exponents' biases, 127 and 15.
    private static final int BIAS = 112;

    private static final int INFINITE = 0x7f800000;

    private Halves() {}

    /// Returns what a launch is told of a type; 0 for one that is not kept in halves.
    static int code(DType dtype) {
        return switch (dtype) {
            case BF16 -> BF16;
            case F16 -> F16;
            default -> 0;
        };
    }

    /// Returns a number as F32, to be stored among the floats at once and used in no other way:
    /// TornadoVM compiles a cast of bits only where it can become a store of an int.
    ///
    /// @param at its place, in halves
    /// @param code its type's
    static float widened(IntArray n, int at, int code) {
        int half = (n.get(at >> 1) >> ((at & 1) * 16)) & 0xffff;
        int bits = half << 16;
        if (code == F16) {
            int exponent = (half >> 10) & 31;
            int fraction = half & 1023;
            int magnitude = ((exponent + BIAS) << 23) | (fraction << 13);
            if (exponent == 31) {
                magnitude = INFINITE | (fraction << 13);
            }
            if (exponent == 0) {
                magnitude = subnormal(fraction);
            }
            bits = ((half & 0x8000) << 16) | magnitude;
        }
        return Float.intBitsToFloat(bits);
    }

    /// Returns the bits of fraction times two to the -24, which F32 has as a normal number, or 0.
    private static int subnormal(int fraction) {
        int shifted = fraction;
        int exponent = BIAS + 1;
        for (int i = 0; i < 10; i++) {
            if (shifted < 1024) {
                shifted = shifted * 2;
                exponent = exponent - 1;
            }
        }
        int bits = (exponent << 23) | ((shifted & 1023) << 13);
        if (fraction == 0) {
            bits = 0;
        }
        return bits;
    }
}
