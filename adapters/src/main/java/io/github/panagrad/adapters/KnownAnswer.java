package io.github.panagrad.adapters;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Interceptor;

/// What lies within an adapter, with one answer known already.
record KnownAnswer(Interceptor.Inner inner, Tensor x, Tensor y) implements Interceptor.Inner {
    @Override
    public Tensor apply(Tensor in) {
        return in == x ? y : inner.apply(in);
    }

    @Override
    public Tensor apply(Tensor in, Context other) {
        return inner.apply(in, other);
    }

    @Override
    public boolean isLayer() {
        return inner.isLayer();
    }
}
