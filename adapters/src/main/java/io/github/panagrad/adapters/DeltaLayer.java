package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Interceptor;
import io.github.panagrad.nn.Layer;

/// A part that adds a change of the weight to a linear layer, y = W·x + ΔW·x, where ΔW is made anew from
/// few parameters in every pass.
abstract class DeltaLayer extends LayerAdapter {
    private final DeltaDropout dropout;

    DeltaLayer(DeltaDropout dropout) {
        this.dropout = dropout;
    }

    /// Computes ΔW. Shapes: (out, in).
    abstract Tensor delta();

    /// Adds a parameter with initial values.
    final Parameter drawn(String name, Init init, Rng rng, int... dims) {
        return parameter(name, init.draw(Shape.of(dims), rng));
    }

    @Override
    protected Tensor forward(Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
        Tensor y = inner.apply(x);
        if (!layer.isTraining()) {
            return y.add(Ops.linear(x, delta(), null));
        }
        return dropout.leavesOut(context)
                ? y
                : y.add(Ops.linear(x, dropout.rows(delta(), context), null));
    }

    @Override
    protected Tensor mergedWeight(Tensor weight) {
        return weight.add(delta());
    }
}
