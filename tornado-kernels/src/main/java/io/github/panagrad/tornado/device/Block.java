package io.github.panagrad.tornado.device;

import io.github.panagrad.engine.ground.DType;

/// A part of one of a device's arrays that a storage holds until it is freed or collected.
final class Block {
    /// The array that kernels read and write; others are numbered from 1.
    static final int NEAR = 0;

    final DType dtype;
    final int length;

    /// Which array of its kind it lies in; [#NEAR] or a far one's number.
    volatile int array;

    /// Where in the array it begins.
    volatile int at;

    Block(DType dtype, int length, int at) {
        this.dtype = dtype;
        this.length = length;
        this.at = at;
    }

    /// Returns how many elements of its array it takes: BF16 and F16 lie two in an int.
    int places() {
        return places(dtype, length);
    }

    /// Tells whether elements of a type are kept two to an int.
    static boolean isHalf(DType dtype) {
        return dtype == DType.BF16 || dtype == DType.F16;
    }

    static int places(DType dtype, int length) {
        return isHalf(dtype) ? (int) ((length + 1L) / 2) : length;
    }
}
