package io.github.panagrad.bench.peers;

import io.github.panagrad.engine.ground.Parallel;
import org.jspecify.annotations.Nullable;

/// This library with F32 weights: what stored weights are compared with.
final class OwnF32 implements Sides {
    static final String NAME = "our f32";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String build() {
        return "Panagrad, the same values as F32";
    }

    @Override
    public @Nullable Side open(Problem problem, int threads) {
        Parallel.setThreads(threads);
        return problem instanceof Problem.MatVec p ? new OwnMatVec(p, false) : null;
    }
}
