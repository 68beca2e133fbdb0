package io.github.panagrad.bench;

import io.github.panagrad.bench.peers.Llama;
import io.github.panagrad.bench.peers.Problem;
import org.openjdk.jmh.annotations.Param;

/// Times a training step of 15 million parameters, batch 4 × 256, with clipping and AdamW.
public class StepBenchmark extends KernelBenchmark {
    /// Rank of the LoRA detours; 0 trains everything.
    @Param({"0", "8"})
    public int rank;

    @Override
    protected Problem problem() {
        return new Problem.Step(Llama.STORIES_15M, 4, 256, rank);
    }
}
