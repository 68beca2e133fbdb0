package io.github.panagrad.examples.command;

import io.github.panagrad.engine.ground.Parallel;
import picocli.CommandLine.Option;

/// Says how many threads share the work.
final class ThreadOption {
    ThreadOption() {}

    /// Sets the number at once, before anything runs.
    @Option(
            names = "--threads",
            paramLabel = "N",
            description =
                    "Threads that share the work; the results do not depend on it. Default: one for"
                            + " each processor.")
    void threads(int count) {
        Parallel.setThreads(count);
    }
}
