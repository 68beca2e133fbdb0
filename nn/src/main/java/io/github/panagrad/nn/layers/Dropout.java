package io.github.panagrad.nn.layers;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Layer;

/// Sets elements to zero at random in training mode and scales the others up by 1/(1−p); otherwise
/// does nothing (Srivastava et al., JMLR 15, 2014).
///
/// The random numbers come from the context. Shapes: (*) → (*).
public final class Dropout extends Layer {
    private final double p;

    /// Creates a dropout.
    ///
    /// @param p the probability of zero, from 0 to below 1
    public Dropout(double p) {
        if (!(p >= 0 && p < 1)) {
            throw new PanagradException(
                    "dropout", "not a probability of dropping", "" + p, "0 to below 1", "");
        }
        this.p = p;
    }

    @Override
    protected Tensor forward(Tensor x, Context context) {
        return isTraining() && p > 0 ? Ops.dropout(x, p, context.rng()) : x;
    }

    @Override
    protected String describe() {
        return "Dropout(" + p + ")";
    }
}
