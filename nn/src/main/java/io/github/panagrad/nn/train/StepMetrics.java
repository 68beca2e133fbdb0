package io.github.panagrad.nn.train;

import java.util.Map;

/// What one step looked like.
///
/// @param step the number of the step, from 1
/// @param epoch the number of the pass over the data, from 0
/// @param loss the mean loss before the step
/// @param lr the learning rate
/// @param gradNorm the global norm of the mean gradient, before clipping
/// @param tokens how many tokens were predicted in this step
/// @param seconds how long the step took
/// @param report what the objective reported
public record StepMetrics(
        long step,
        int epoch,
        double loss,
        double lr,
        double gradNorm,
        long tokens,
        double seconds,
        Map<String, Double> report) {
    /// Returns the throughput.
    public double tokensPerSecond() {
        return seconds > 0 ? tokens / seconds : 0;
    }
}
