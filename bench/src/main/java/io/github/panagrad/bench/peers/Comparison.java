package io.github.panagrad.bench.peers;

import io.github.panagrad.nn.io.JsonObject;

/// What a row came to.
///
/// @param row what was compared
/// @param ours milliseconds, or bytes
/// @param peer the peer's milliseconds or bytes
/// @param ratio median of paired ratios: peer's time by ours, or our bytes by the peer's
/// @param low lowest median of a fork
/// @param high highest median of a fork
/// @param forks how many processes were run
/// @param difference how far apart the results were, relative to the largest entry
/// @param build the peer's build
/// @param machine the processor
record Comparison(
        Case row,
        double ours,
        double peer,
        double ratio,
        double low,
        double high,
        int forks,
        double difference,
        String build,
        String machine) {
    /// Returns the row as a line of JSON.
    String toJson() {
        return JsonObject.of(
                        "case", row.name(),
                        "ours", rounded(ours),
                        "peer", rounded(peer),
                        "peer_name", row.peer(),
                        "ratio", rounded(ratio),
                        "low", rounded(low),
                        "high", rounded(high),
                        "unit", row.measure() == Case.Measure.TIME ? "ms" : "bytes",
                        "floor", row.floor(),
                        "aim", row.aim(),
                        "met", row.met(ratio),
                        "family", row.family(),
                        "threads", (long) row.threads(),
                        "forks", (long) forks,
                        "difference", rounded(difference),
                        "peer_build", build,
                        "machine", machine)
                .toString();
    }

    /// Rounds to four digits.
    private static double rounded(double value) {
        return Double.isFinite(value) ? Double.parseDouble("%.3e".formatted(value)) : -1;
    }
}
