package io.github.panagrad.adapters;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.PathPattern;
import io.github.panagrad.nn.layers.Linear;
import java.util.LinkedHashMap;
import java.util.Map;

/// Low-rank adaptation: a frozen linear layer gets a trainable detour of rank r, y = W·x +
/// (α/r)·B·A·x (Hu et al., arXiv 2106.09685).
///
/// ```java
/// var adapter = Lora.rank(8).alpha(16).attach(model, "**.{q,v}_proj");
/// ```
///
/// @param rank r
/// @param alpha α
/// @param dropout probability with which entries of x are dropped before A, in training
/// @param seed of the initial A; B starts at zero, so that the model is unchanged at first
public record Lora(int rank, double alpha, double dropout, long seed) {
    /// Checks the ranges.
    public Lora {
        if (rank < 1 || !(alpha > 0) || !(dropout >= 0 && dropout < 1)) {
            throw new PanagradException(
                    "lora",
                    "out of range",
                    "rank " + rank + ", alpha " + alpha + ", dropout " + dropout,
                    "rank >= 1, alpha > 0, dropout in [0, 1)",
                    "");
        }
    }

    /// Starts with a rank, alpha 2·rank, and no dropout.
    public static Lora rank(int rank) {
        return new Lora(rank, 2.0 * rank, 0, 0);
    }

    /// Sets α: the detour is multiplied by α/r.
    public Lora alpha(double value) {
        return new Lora(rank, value, dropout, seed);
    }

    /// Sets the dropout before A.
    public Lora dropout(double p) {
        return new Lora(rank, alpha, p, seed);
    }

    /// Sets the seed of the initial A.
    public Lora seed(long value) {
        return new Lora(rank, alpha, dropout, value);
    }

    /// Returns what the detour is multiplied by, α/r.
    public double scale() {
        return alpha / rank;
    }

    /// Attaches a detour to every linear layer whose path matches, and freezes everything else.
    ///
    /// @throws PanagradException if nothing matches, or a layer has an adapter already
    public LoraAdapter attach(Module model, String pattern) {
        return attach(model, PathPattern.of(pattern));
    }

    /// Attaches a detour to every linear layer whose path matches, and freezes everything else.
    ///
    /// @throws PanagradException if nothing matches, or a layer has an adapter already
    public LoraAdapter attach(Module model, PathPattern pattern) {
        Map<String, Linear> targets = model.layers(pattern, Linear.class);
        model.freeze();
        Rng rng = Rng.of(seed);
        var detours = new LinkedHashMap<String, LoraDetour>();
        targets.forEach((path, linear) -> detours.put(path, LoraDetour.attach(this, linear, rng)));
        return new LoraAdapter(model, this, detours);
    }
}
