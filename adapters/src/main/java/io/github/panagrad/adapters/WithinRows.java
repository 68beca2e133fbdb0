package io.github.panagrad.adapters;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Interceptor;

/// What lies within an adapter, called with the context of some rows.
record WithinRows(Interceptor.Inner inner, Context context) implements Interceptor.Inner {
    @Override
    public Tensor apply(Tensor x) {
        return inner.apply(x, context);
    }

    @Override
    public Tensor apply(Tensor x, Context other) {
        return inner.apply(x, other);
    }

    @Override
    public boolean isLayer() {
        return inner.isLayer();
    }
}
