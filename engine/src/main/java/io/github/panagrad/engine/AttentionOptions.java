package io.github.panagrad.engine;

import org.jspecify.annotations.Nullable;

/// Which keys a query attends to, and how scores are scaled.
///
/// @param isCausal whether a query sees no key after its own position; with more keys than queries,
///     the queries are the last positions
/// @param window how many keys, its own included, a query sees at most; 0 for all
/// @param scale what scores are multiplied by; 0 for 1/√D
/// @param keyMask BOOL (B, S): keys that may be seen; null for all
/// @param segments I32 (B, T): a query sees keys of its own segment only, for packed sequences;
///     null for one segment
public record AttentionOptions(
        boolean isCausal,
        int window,
        double scale,
        @Nullable Tensor keyMask,
        @Nullable Tensor segments) {
    /// Lets each position see itself and what is before it.
    public static AttentionOptions causal() {
        return new AttentionOptions(true, 0, 0, null, null);
    }

    /// Lets each position see all.
    public static AttentionOptions full() {
        return new AttentionOptions(false, 0, 0, null, null);
    }

    /// Limits sight to the last `window` keys.
    public AttentionOptions window(int window) {
        return new AttentionOptions(isCausal, window, scale, keyMask, segments);
    }

    /// Multiplies scores by `scale` instead of 1/√D.
    public AttentionOptions scale(double scale) {
        return new AttentionOptions(isCausal, window, scale, keyMask, segments);
    }

    /// Hides the keys where the mask is false. Shapes: BOOL (B, S).
    public AttentionOptions keyMask(@Nullable Tensor keyMask) {
        return new AttentionOptions(isCausal, window, scale, keyMask, segments);
    }

    /// Keeps packed sequences apart. Shapes: I32 (B, T).
    public AttentionOptions segments(@Nullable Tensor segments) {
        return new AttentionOptions(isCausal, window, scale, keyMask, segments);
    }
}
