package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.spi.Kernel;

/// A kernel that walks strides itself, so that no operand is copied first.
interface StridedKernel<O> extends Kernel<O> {
    @Override
    default boolean acceptsStrides(int i) {
        return true;
    }
}
