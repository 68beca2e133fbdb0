package io.github.panagrad.adapters;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Interceptor;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.models.KvCache;
import io.github.panagrad.nn.models.Sequence;

/// Takes a learned prompt through one layer.
final class PromptLayer extends LayerAdapter {
    /// What a layer has to do with the prompt.
    enum Place {
        /// The prompt is put before the embeddings.
        IN,
        /// Its positions come before those of the tokens.
        BETWEEN,
        /// It is taken off again.
        OUT
    }

    /// What the layers of a pass share.
    record Pass(PromptLayout layout, ShiftedPositions positions) {
        Pass() {
            this(new PromptLayout(), new ShiftedPositions());
        }
    }

    private final Place place;
    private final Parameter prompt;
    private final Pass pass;

    PromptLayer(Place place, Parameter prompt, Pass pass) {
        this.place = place;
        this.prompt = prompt;
        this.pass = pass;
    }

    @Override
    protected Tensor forward(Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
        KvCache cache = context.get(Sequence.KEY).cache();
        int count = prompt.dim(0);
        if (cache != null && cache.length() > 0) {
            // Later tokens of a generation find the prompt in the cache.
            return place == Place.BETWEEN
                    ? inner.apply(x, pass.positions.behind(count, context).in(context))
                    : inner.apply(x);
        }
        if (cache != null && place == Place.IN) {
            cache.reserve(count);
        }
        PromptLayout.Layout layout = pass.layout.of(context, count, x.dim(0));
        return switch (place) {
            case IN -> layout.with(prompt, inner.apply(x));
            case BETWEEN -> inner.apply(x, layout.in(context));
            case OUT -> inner.apply(layout.without(x));
        };
    }
}
