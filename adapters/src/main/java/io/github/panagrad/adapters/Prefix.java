package io.github.panagrad.adapters;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.layers.Linear;
import org.jspecify.annotations.Nullable;

/// The learned keys and values of all attention layers, of themselves or through a small network.
final class Prefix extends Module {
    static final String NAME = "prompt_embeddings";

    private static final double STD = 0.02;

    private final int width;
    private final Parameter embeddings;
    private final @Nullable Linear inner;
    private final @Nullable Linear outer;

    /// @param width of a layer's keys, and of its values
    /// @param count how many of such there are: two a layer
    Prefix(PrefixTuning options, int width, int count, Rng rng) {
        this.width = width;
        Init init = Init.normal(0, STD);
        int own = options.projection() == 0 ? width * count : width;
        embeddings = parameter(NAME, init.draw(Shape.of(options.tokens(), own), rng));
        if (options.projection() == 0) {
            inner = null;
            outer = null;
        } else {
            inner = register("transform.0", new Linear(width, options.projection(), rng));
            outer = register("transform.2", new Linear(options.projection(), width * count, rng));
        }
    }

    /// Computes keys and values. Shapes: (P, 2 · layers · width).
    Tensor values() {
        return inner == null || outer == null
                ? embeddings
                : outer.call(inner.call(embeddings, Context.EMPTY).tanh(), Context.EMPTY);
    }

    /// Takes the n-th part, keys and values of a layer being neighbours. Shapes: (P, width).
    Tensor part(Tensor values, int n) {
        return values.narrow(1, n * width, width);
    }
}
