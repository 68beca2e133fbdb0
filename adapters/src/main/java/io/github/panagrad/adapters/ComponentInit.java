package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.layers.Linear;
import java.util.function.BiFunction;

/// Begins with some components of the weight, B·A = W's part / scale.
///
/// @param name for messages
/// @param choice chooses the components
record ComponentInit(
        String name, BiFunction<String, WeightComponents, WeightComponents.Product> choice)
        implements LoraInit {
    @Override
    public Factors factors(String path, Linear base, int rank, double scale, Rng rng) {
        LoraInit.requireRank(path, base, rank);
        int out = base.out();
        int in = base.in();
        var components = new WeightComponents(base.weight().toDoubles(), out, in, rank);
        WeightComponents.Product product = choice.apply(path, components);
        double each = 1 / Math.sqrt(scale);
        Tensor a = Ops.tensor64(product.right(), rank, in).mul(each);
        Tensor b = Ops.tensor64(product.left(), out, rank).mul(each);
        return new Factors(a, b);
    }

    @Override
    public boolean subtractsStart() {
        return true;
    }

    @Override
    public String toString() {
        return name;
    }
}
