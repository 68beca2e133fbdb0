package io.github.panagrad.bench;

import io.github.panagrad.bench.peers.Problem;
import org.openjdk.jmh.annotations.Param;

/// Times a linear head with its cross-entropy and gradients, 1024 tokens.
public class HeadBenchmark extends KernelBenchmark {
    /// Width of the hidden states.
    @Param({"288", "768"})
    public int width;

    /// Rows of the head.
    @Param("32000")
    public int vocabulary;

    @Override
    protected Problem problem() {
        return new Problem.Head(1024, vocabulary, width);
    }
}
