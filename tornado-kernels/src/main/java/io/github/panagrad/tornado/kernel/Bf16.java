package io.github.panagrad.tornado.kernel;

import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// How kernels read BF16 numbers, which lie in the halves of the device's ints.
final class Bf16 {
    private Bf16() {}

    /// Returns a number as F32, to be stored among the floats at once and used in no other way:
    /// TornadoVM compiles a cast of bits only where it can become a store of an int.
    ///
    /// @param at its place, in halves
    static float widened(IntArray n, int at) {
        int half = (n.get(at >> 1) >> ((at & 1) * 16)) & 0xffff;
        return Float.intBitsToFloat(half << 16);
    }
}
