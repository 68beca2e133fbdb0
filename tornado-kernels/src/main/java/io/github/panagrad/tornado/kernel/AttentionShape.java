package io.github.panagrad.tornado.kernel;

import io.github.panagrad.engine.spi.View;

/// How much there is to attend to.
///
/// @param sequences B
/// @param queries T
/// @param keys S
/// @param groups G, the heads of keys and values
/// @param members the heads of queries for each of those, H / G
record AttentionShape(int sequences, int queries, int keys, int groups, int members) {
    /// Reads it off q (B, T, H, D) and k (B, S, G, D).
    static AttentionShape of(View[] in) {
        int groups = in[1].dim(2);
        return new AttentionShape(
                in[0].dim(0), in[0].dim(1), in[1].dim(1), groups, in[0].dim(2) / groups);
    }

    /// Returns H.
    int heads() {
        return groups * members;
    }
}
