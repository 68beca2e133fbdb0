package io.github.panagrad.bench;

import io.github.panagrad.bench.peers.Problem;
import org.openjdk.jmh.annotations.Param;

/// Times causal attention of six heads with its gradients.
public class AttentionBenchmark extends KernelBenchmark {
    /// Tokens of a sequence.
    @Param({"256", "1024", "4096"})
    public int tokens;

    /// Channels of a head.
    @Param({"48", "64"})
    public int channels;

    @Override
    protected Problem problem() {
        return new Problem.Attend(1, tokens, 6, channels);
    }
}
