package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Interceptor;
import io.github.panagrad.nn.Layer;
import io.github.panagrad.nn.layers.Linear;

/// The low-rank detour around one linear layer.
final class LoraLayer extends LayerAdapter {
    private final double scale;
    private final double dropout;
    private final Linear down;
    private final Linear up;

    LoraLayer(Lora options, String path, Linear base, Rng rng) {
        int rank = options.rank(path);
        scale = options.scale(path);
        dropout = options.dropout();
        down =
                register(
                        "lora_A",
                        new Linear(base.in(), rank, false, Init.kaimingUniform(Math.sqrt(5)), rng));
        up = register("lora_B", new Linear(rank, base.out(), false, Init.zeros(), rng));
    }

    @Override
    protected Tensor forward(Layer layer, Tensor x, Context context, Interceptor.Inner inner) {
        boolean drops = layer.isTraining() && dropout > 0;
        Tensor kept = drops ? Ops.dropout(x, dropout, context.rng()) : x;
        return inner.apply(x).add(up.call(down.call(kept, context), context).mul(scale));
    }

    @Override
    protected Tensor mergedWeight(Tensor weight) {
        return weight.add(up.weight().matmul(down.weight()).mul(scale));
    }
}
