package io.github.panagrad.bench.peers;

import java.util.List;

/// One library's way to compute a problem.
public interface Side extends AutoCloseable {
    /// Computes once: what is timed.
    void run();

    /// Computes once and returns what came out, for the comparison of both sides.
    ///
    /// All sides of a problem give the same arrays in the same order.
    List<float[]> results();

    /// Returns the bytes that came on top of the inputs while it computed; asked for in memory
    /// cases only, after some runs.
    default long extraBytes() {
        throw new UnsupportedOperationException("no memory case");
    }

    @Override
    default void close() {}
}
