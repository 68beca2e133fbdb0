package io.github.panagrad.adapters;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.io.JsonObject;

/// What is left out of a change of weights at random while training, as PEFT's LoHa and LoKr have it.
///
/// @param rank how likely each row of the change is left out, PEFT's `rank_dropout`
/// @param module how likely a layer's whole change is left out in a pass, PEFT's `module_dropout`
/// @param scaled whether the rows that are left are scaled up by how many are not, PEFT's
///     `rank_dropout_scale` for LoKr; it always does so for LoHa
public record DeltaDropout(double rank, double module, boolean scaled) {
    /// Leaves nothing out.
    public static final DeltaDropout NONE = new DeltaDropout(0, 0, false);

    /// Checks the ranges.
    public DeltaDropout {
        if (!(rank >= 0 && rank < 1 && module >= 0 && module < 1)) {
            throw new PanagradException(
                    "dropout",
                    "out of range",
                    "rank " + rank + ", module " + module,
                    "0 to below 1",
                    "");
        }
    }

    /// Reads PEFT's fields.
    static DeltaDropout read(JsonObject config, boolean scaled) {
        return new DeltaDropout(
                config.number("rank_dropout", 0), config.number("module_dropout", 0), scaled);
    }

    /// Decides whether a layer's change is left out in this pass.
    boolean leavesOut(Context context) {
        return module > 0 && context.rng().draw().uniform(0) < module;
    }

    /// Leaves rows out. Shapes: (out, in) → (out, in).
    Tensor rows(Tensor delta, Context context) {
        if (rank == 0) {
            return delta;
        }
        Rng.Draw draw = context.rng().draw();
        double[] factors = new double[delta.dim(0)];
        int kept = 0;
        for (int i = 0; i < factors.length; i++) {
            factors[i] = draw.uniform(i) < rank ? 0 : 1;
            kept += (int) factors[i];
        }
        if (scaled && kept > 0) {
            for (int i = 0; i < factors.length; i++) {
                factors[i] *= (double) factors.length / kept;
            }
        }
        Tensor column = Ops.tensor64(factors, factors.length, 1);
        return delta.mul(column.to(delta.dtype()).to(delta.device()));
    }
}
