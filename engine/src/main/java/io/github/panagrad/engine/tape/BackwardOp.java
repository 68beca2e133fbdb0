package io.github.panagrad.engine.tape;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.spi.View;
import org.jspecify.annotations.Nullable;

/// The gradient of a [Fused] op as one kernel; it runs only where a backend has that kernel, and is
/// not recorded, since a recorded backward goes through [Fused#composed].
public interface BackwardOp extends Op {
    @Override
    default void eval(View[] in, View[] out) {
        throw new IllegalStateException(name() + " has no plain form; its op's composed() has");
    }

    @Override
    default @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        throw new IllegalStateException(name() + " is never recorded");
    }
}
