package io.github.panagrad.nn.train;

import io.github.panagrad.engine.Scope;
import io.github.panagrad.engine.Tensor;
import java.util.Map;
import java.util.function.Consumer;

/// What an objective makes of one batch: a sum of losses, and of how many.
///
/// The trainer adds sums and counts over all batches of a step and divides once: eight batches of
/// one row give the same step as one batch of eight.
///
/// @param sum the summed loss, a scalar with its history
/// @param count what the sum is divided by: tokens, rows, tasks
/// @param tokens how many tokens were predicted, for the throughput
/// @param report further figures for the log, averaged over the batches of a step
public record LossTerm(Tensor sum, double count, long tokens, Map<String, Double> report)
        implements Scope.Holder {
    /// Copies the report.
    public LossTerm {
        report = Map.copyOf(report);
    }

    /// Creates a term whose count is its tokens, with nothing else to report.
    public static LossTerm of(Tensor sum, long tokens) {
        return new LossTerm(sum, tokens, tokens, Map.of());
    }

    @Override
    public void forEachTensor(Consumer<Tensor> visitor) {
        visitor.accept(sum);
    }
}
