package io.github.panagrad.bench;

import io.github.panagrad.bench.peers.Problem;
import org.openjdk.jmh.annotations.Param;

/// Times norms, activations, softmax and rotary positions with their gradients.
public class RowsBenchmark extends KernelBenchmark {
    /// The function.
    @Param public Problem.Function function;

    /// Rows and columns.
    @Param("1024x768")
    public String shape;

    @Override
    protected Problem problem() {
        return new Problem.Rows(
                function,
                Integer.parseInt(shape.split("x")[0]),
                Integer.parseInt(shape.split("x")[1]));
    }
}
