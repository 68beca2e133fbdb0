package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Shape;
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

    private final Place place;
    private final Parameter prompt;
    private final ShiftedPositions positions = new ShiftedPositions();

    PromptLayer(Place place, Parameter prompt) {
        this.place = place;
        this.prompt = prompt;
    }

    @Override
    protected Tensor forward(Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
        KvCache cache = context.get(Sequence.KEY).cache();
        // Later tokens of a generation find the prompt in the cache.
        boolean here = cache == null || cache.length() == 0;
        int count = prompt.dim(0);
        return switch (place) {
            case IN -> {
                Tensor tokens = inner.apply(x);
                if (!here) {
                    yield tokens;
                }
                if (cache != null) {
                    cache.reserve(count);
                }
                int width = prompt.dim(1);
                Tensor rows =
                        prompt.reshape(1, count, width)
                                .expand(Shape.of(tokens.dim(0), count, width));
                yield Ops.concat(1, rows, tokens);
            }
            case BETWEEN -> inner.apply(x, positions.behind(count, here, context));
            case OUT -> inner.apply(here ? x.narrow(1, count, x.dim(1) - count) : x);
        };
    }
}
