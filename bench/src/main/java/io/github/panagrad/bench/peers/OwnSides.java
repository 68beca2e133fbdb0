package io.github.panagrad.bench.peers;

import io.github.panagrad.engine.ground.Parallel;

/// This library, as a user calls it.
public final class OwnSides implements Sides {
    static final String NAME = "ours";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String build() {
        return "Panagrad, JDK " + Runtime.version().feature();
    }

    @Override
    public Side open(Problem problem, int threads) {
        Parallel.setThreads(threads);
        return switch (problem) {
            case Problem.Sgemm p -> new OwnSgemm(p);
            case Problem.MatVec p -> new OwnMatVec(p, true);
            case Problem.Rows p -> new OwnRows(p);
            case Problem.Attend p -> new OwnAttention(p);
            case Problem.Head p -> new OwnHead(p);
            case Problem.Update p -> new OwnUpdate(p);
            case Problem.Step p -> new OwnStep(p);
            case Problem.Decode p -> new OwnDecode(p);
        };
    }
}
