package io.github.panagrad.adapters;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Interceptor;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.models.KeyValuePrefix;

/// Hands a layer's part of the prefix to its attention.
final class PrefixLayer extends LayerAdapter {
    private final Prefix prefix;
    private final int index;
    private final ShiftedPositions positions = new ShiftedPositions();

    PrefixLayer(Prefix prefix, int index) {
        this.prefix = prefix;
        this.index = index;
    }

    @Override
    protected Tensor forward(Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
        Tensor values = prefix.values();
        var own =
                new KeyValuePrefix(
                        prefix.part(values, 2 * index), prefix.part(values, 2 * index + 1));
        Context shifted = positions.behind(values.dim(0), false, context);
        return inner.apply(x, shifted.with(KeyValuePrefix.KEY, own));
    }
}
