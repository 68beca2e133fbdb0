package io.github.panagrad.bench;

import io.github.panagrad.bench.peers.Problem;
import io.github.panagrad.engine.ground.DType;
import org.openjdk.jmh.annotations.Param;

/// Times a linear layer on one row by the type that its weights are stored in.
public class MatVecBenchmark extends KernelBenchmark {
    /// The type of the weights.
    @Param({"F32", "BF16", "F16", "Q8", "NF4"})
    public DType type;

    @Override
    protected Problem problem() {
        return new Problem.MatVec(type, 32000, 768);
    }
}
