package io.github.panagrad.engine;

import java.util.function.Consumer;

/// Elements in order, and where they were before.
///
/// @param values the elements, differentiable
/// @param indices their indices along the dimension, I32
public record Ranked(Tensor values, Tensor indices) implements Scope.Holder {
    @Override
    public void forEachTensor(Consumer<Tensor> visitor) {
        visitor.accept(values);
        visitor.accept(indices);
    }
}
