package io.github.panagrad.bench.peers;

import org.jspecify.annotations.Nullable;

/// A library that computes problems; peers are found by the service loader.
public interface Sides {
    /// Returns the name in tables.
    String name();

    /// Returns which build of the library this is, in a few words.
    String build();

    /// Loads what the library needs; what it then occupies is not counted in memory rows.
    default void load() {}

    /// Prepares a problem, or returns null if the library is not asked to compute it.
    ///
    /// @param threads how many threads it may use
    @Nullable Side open(Problem problem, int threads);
}
