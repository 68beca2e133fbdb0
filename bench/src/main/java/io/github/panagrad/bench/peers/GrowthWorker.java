package io.github.panagrad.bench.peers;

import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import java.util.List;

/// Measures how memory and time grow, in a process of its own.
///
/// Prints `POINT series x y`, fields between tabs.
final class GrowthWorker {
    private static final double MEGABYTE = 1e6;

    private GrowthWorker() {}

    /// Runs all series.
    public static void main(String[] args) {
        Parallel.setThreads(1);
        stepTime();
        stepMemory();
        lossMemory();
    }

    /// What the pool takes for a step beside weights and optimizer state: activations and gradients.
    private static void stepMemory() {
        for (int tokens = 256; tokens <= 4096; tokens *= 2) {
            Llama model = Llama.STORIES_15M.positions(tokens);
            var step = new OwnStep(new Problem.Step(model, 1, tokens, 0));
            // The first step makes the optimizer's state.
            step.run();
            Pool.floats().trim();
            long before = Pool.floats().freshBytes();
            step.run();
            point(Growth.STEP_MEMORY, tokens, (Pool.floats().freshBytes() - before) / MEGABYTE);
        }
    }

    /// What the loss takes beside its inputs and their gradients.
    private static void lossMemory() {
        for (int vocabulary = 8192; vocabulary <= 262144; vocabulary *= 2) {
            var head = new OwnHead(new Problem.Head(512, vocabulary, 288));
            point(Growth.LOSS_MEMORY, vocabulary, head.extraBytes() / MEGABYTE);
        }
    }

    private static void stepTime() {
        for (int rows = 1; rows <= 8; rows *= 2) {
            var step = new OwnStep(new Problem.Step(Llama.STORIES_15M, rows, 256, 0));
            double[][] times = new Turns(0, 3000, 5).time(List.of(step));
            point(Growth.STEP_TIME, rows * 256L, Statistics.median(times[0]) * 1e-6);
        }
    }

    private static void point(Growth series, long x, double y) {
        System.out.println("POINT\t" + series.name() + "\t" + x + "\t" + y);
    }
}
