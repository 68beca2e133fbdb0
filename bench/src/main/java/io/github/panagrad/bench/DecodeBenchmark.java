package io.github.panagrad.bench;

import io.github.panagrad.bench.peers.Llama;
import io.github.panagrad.bench.peers.Problem;

/// Times greedy decoding of 32 tokens after 16 by a model of 15 million parameters.
public class DecodeBenchmark extends KernelBenchmark {
    @Override
    protected Problem problem() {
        return new Problem.Decode(Llama.STORIES_15M, 16, 32);
    }
}
