package io.github.panagrad.nn.models;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.nn.Context;

/// Keys and values that every query of an attention layer sees before those of the tokens, as in
/// prefix tuning. They are taken as they are: no position is turned into them.
///
/// An interceptor of an attention layer puts them into the context of its call, and lets the masks of
/// the [Sequence] there begin with as many entries for them.
///
/// Shapes: keys and values (P, heads of keys · channels).
///
/// @param keys the keys
/// @param values the values
public record KeyValuePrefix(Tensor keys, Tensor values) {
    /// Where attention layers look for it.
    public static final Context.Key<KeyValuePrefix> KEY = new Context.Key<>("key-value prefix");

    /// Puts one of the two in front of the tokens' keys or values. Shapes: (B, S, H, D) → (B, P + S,
    /// H, D).
    static Tensor before(Tensor prefix, Tensor own) {
        int heads = own.dim(2);
        int channels = own.dim(3);
        int count = prefix.dim(0);
        Tensor rows =
                prefix.reshape(1, count, heads, channels)
                        .expand(Shape.of(own.dim(0), count, heads, channels));
        return Ops.concat(1, rows, own);
    }
}
