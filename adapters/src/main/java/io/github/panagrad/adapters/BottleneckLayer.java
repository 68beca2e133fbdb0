package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Interceptor;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.layers.Linear;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The narrow network around one layer.
final class BottleneckLayer extends LayerAdapter {
    private final Bottleneck options;
    private final Linear down;
    private final Linear up;
    private final @Nullable Parameter scale;

    BottleneckLayer(Bottleneck options, String path, Layer layer, Rng rng) {
        this.options = options;
        List<Linear> within =
                layer.modules().values().stream()
                        .filter(Linear.class::isInstance)
                        .map(Linear.class::cast)
                        .toList();
        if (within.isEmpty()) {
            throw new PanagradException(
                    "bottleneck",
                    "a layer whose widths cannot be told: it has no linear layer in it",
                    path,
                    "an attention, feed-forward or linear layer",
                    "");
        }
        int out = within.getLast().out();
        int in =
                options.insertion() == Bottleneck.Insertion.PARALLEL ? within.getFirst().in() : out;
        Init init = Init.kaimingUniform(Math.sqrt(5));
        down = register("adapter_down", new Linear(in, options.width(), true, init, rng));
        up = register("adapter_up", new Linear(options.width(), out, true, Init.zeros(), rng));
        scale =
                options.learnsScale()
                        ? parameter("scale", Init.constant(options.scale()).draw(Shape.of(1), rng))
                        : null;
    }

    @Override
    protected Tensor forward(Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
        Tensor y = inner.apply(x);
        Tensor from = options.insertion() == Bottleneck.Insertion.PARALLEL ? x : y;
        Tensor narrow = down.call(from, context);
        Tensor active =
                switch (options.form()) {
                    case RELU -> narrow.relu();
                    case GELU -> Ops.gelu(narrow);
                    case IDENTITY -> narrow;
                };
        Tensor wide = up.call(active, context);
        return y.add(scale == null ? wide.mul(options.scale()) : wide.mul(scale));
    }
}
