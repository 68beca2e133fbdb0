package io.github.panagrad.bench.peers;

/// One row of the tables: a problem, a peer, and what is owed and wanted.
///
/// @param name what `--case` takes; rows with other peers share it
/// @param family the table it is in
/// @param problem what is computed
/// @param peer name of the peer's [Sides]
/// @param threads how many threads each side may use
/// @param measure time or memory
/// @param floor the ratio that is owed: at least for time, at most for memory
/// @param aim the ratio that is wanted
/// @param tolerance how far results may be apart, relative to the largest
public record Case(
        String name,
        String family,
        Problem problem,
        String peer,
        int threads,
        Measure measure,
        double floor,
        double aim,
        double tolerance) {
    /// What is compared.
    public enum Measure {
        /// Peer's time by our time: above 1 we are faster.
        TIME,
        /// Our bytes by the peer's: below 1 we need less.
        MEMORY
    }

    /// Tells whether a ratio reaches a bound.
    public boolean reaches(double ratio, double bound) {
        return measure == Measure.TIME ? ratio >= bound : ratio <= bound;
    }

    /// Returns which bound a ratio meets: "aim", "floor" or "no".
    public String met(double ratio) {
        if (reaches(ratio, aim)) {
            return "aim";
        }
        return reaches(ratio, floor) ? "floor" : "no";
    }

    /// Tells whether both sides can take turns in one process: with one thread no pool of one
    /// library spins while the other computes.
    public boolean canAlternate() {
        return threads == 1 && measure == Measure.TIME;
    }
}
