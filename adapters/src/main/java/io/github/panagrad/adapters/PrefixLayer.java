package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Interceptor;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.models.KeyValuePrefix;
import java.util.Collections;

/// Hands a layer's part of the prefix to its attention.
final class PrefixLayer extends LayerAdapter {
    private final Prefix prefix;
    private final int index;
    private final ShiftedPositions positions;

    /// @param positions of the pass, which all layers share
    PrefixLayer(Prefix prefix, int index, ShiftedPositions positions) {
        this.prefix = prefix;
        this.index = index;
        this.positions = positions;
    }

    @Override
    protected Tensor forward(Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
        Tensor values = prefix.values();
        var shifted = positions.behind(values.dim(0), context);
        var own =
                new KeyValuePrefix(
                        repeated(prefix.part(values, 2 * index), shifted.copies()),
                        repeated(prefix.part(values, 2 * index + 1), shifted.copies()));
        return inner.apply(x, shifted.in(context).with(KeyValuePrefix.KEY, own));
    }

    /// Shapes: (P, width) → (copies · P, width).
    private static Tensor repeated(Tensor part, int copies) {
        return copies == 1
                ? part
                : Ops.concat(0, Collections.nCopies(copies, part).toArray(Tensor[]::new));
    }

    /// Moves tokens behind the prefix in a table of learned positions.
    static final class Places extends LayerAdapter {
        private final int count;

        Places(int count) {
            this.count = count;
        }

        @Override
        protected Tensor forward(Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
            int[] moved = x.toInts();
            for (int i = 0; i < moved.length; i++) {
                moved[i] += count;
            }
            return inner.apply(Ops.indices(moved, x.shape().toArray()).to(x.device()));
        }
    }
}
