package io.github.panagrad.bench;

import io.github.panagrad.bench.peers.Llama;
import io.github.panagrad.bench.peers.Problem;

/// Times an AdamW step of 15 million parameters, given their gradients.
public class UpdateBenchmark extends KernelBenchmark {
    @Override
    protected Problem problem() {
        return new Problem.Update(Llama.STORIES_15M);
    }
}
