package io.github.panagrad.nn.layers;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Init;
import io.github.panagrad.nn.Layer;

/// A table of vectors, looked up by index.
///
/// Shapes: ids I32 (…), weight (count, C) → (…, C).
public final class Embedding extends Layer {
    private final Parameter weight;

    /// Creates a table of `count` vectors of `width` numbers.
    public Embedding(int count, int width, Init init, Rng rng) {
        weight = parameter("weight", init.draw(Shape.of(count, width), rng));
    }

    /// Returns the table. Shapes: (count, C).
    public Parameter weight() {
        return weight;
    }

    @Override
    protected Tensor forward(Tensor ids, Context context) {
        return Ops.embedding(weight, ids);
    }

    @Override
    protected String describe() {
        return "Embedding(" + weight.dim(0) + " × " + weight.dim(1) + ")";
    }
}
