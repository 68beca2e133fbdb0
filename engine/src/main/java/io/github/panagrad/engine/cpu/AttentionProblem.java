package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.ShapeException;
import org.jspecify.annotations.Nullable;

/// What one call of attention computes: sizes, scale and which keys a query sees.
///
/// Query t stands at position t + keys − queries, so that with a cache of earlier keys the last
/// query is at the last key. It sees key j if all of these allow it: causal, j ≤ position; window,
/// j > position − window; keyMask, entry (b, j) is not 0; segments, entry (b, j) equals entry (b,
/// position).
///
/// @param batch B, sequences
/// @param queries T, queries a sequence
/// @param keys S, keys a sequence
/// @param heads H, query heads
/// @param kvHeads key and value heads, a divisor of H; H / kvHeads neighbouring query heads share
///     one
/// @param dim D, elements of a head
/// @param scale factor of the scores, usually 1/√D
/// @param causal whether later keys are hidden
/// @param window how many positions back a query sees, itself included; 0 for all
/// @param keyMask 0 hides a key, [B, S] from `keyMaskOffset`; null if none is hidden
/// @param keyMaskOffset position of the mask's first entry
/// @param segments ids of packed sequences, [B, S] from `segmentsOffset`; null if nothing is packed
/// @param segmentsOffset position of the first id
public record AttentionProblem(
        int batch,
        int queries,
        int keys,
        int heads,
        int kvHeads,
        int dim,
        float scale,
        boolean causal,
        int window,
        byte @Nullable [] keyMask,
        int keyMaskOffset,
        int @Nullable [] segments,
        int segmentsOffset) {
    /// Checks the sizes against each other.
    ///
    /// @throws ShapeException if they do not fit
    public AttentionProblem {
        if (kvHeads < 1 || heads % kvHeads != 0) {
            throw new ShapeException(
                    "attention",
                    "key/value heads do not divide the query heads",
                    heads + " query heads, " + kvHeads + " key/value heads",
                    "a multiple",
                    "");
        }
        if (keys < queries && (causal || segments != null)) {
            throw new ShapeException(
                    "attention",
                    "fewer keys than queries",
                    keys + " keys, " + queries + " queries",
                    "keys >= queries with a causal mask or segments",
                    "");
        }
        if (dim < 1 || window < 0 || batch < 0 || queries < 0) {
            throw new ShapeException(
                    "attention",
                    "size out of range",
                    "batch "
                            + batch
                            + ", queries "
                            + queries
                            + ", dim "
                            + dim
                            + ", window "
                            + window,
                    "dim >= 1 and the others >= 0",
                    "");
        }
        checkLength("keyMask", keyMask == null ? -1 : keyMask.length, keyMaskOffset, batch, keys);
        checkLength(
                "segments", segments == null ? -1 : segments.length, segmentsOffset, batch, keys);
    }

    private static void checkLength(String name, int length, int offset, int batch, int keys) {
        if (length >= 0 && length - offset < batch * keys) {
            throw new ShapeException(
                    "attention",
                    name + " is too short",
                    length - offset + " entries",
                    batch + " x " + keys + " = " + batch * keys,
                    "");
        }
    }

    /// Poses a problem without padding and packing.
    public static AttentionProblem of(
            int batch, int queries, int keys, int heads, int kvHeads, int dim, boolean causal) {
        return new AttentionProblem(
                batch,
                queries,
                keys,
                heads,
                kvHeads,
                dim,
                (float) (1 / Math.sqrt(dim)),
                causal,
                0,
                null,
                0,
                null,
                0);
    }

    /// Returns how many query heads share a key/value head.
    int group() {
        return heads / kvHeads;
    }
}
