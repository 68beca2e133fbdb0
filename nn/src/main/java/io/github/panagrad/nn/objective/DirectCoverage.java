package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.losses.SequenceLosses;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Step;
import java.util.Map;
import java.util.function.ObjDoubleConsumer;

/// Learns to find each answer in one of N samples: −log(1 − (1 − p)^N) an example, p being the
/// probability of its predicted tokens together; see [SequenceLosses#dco].
///
/// Prompts are to be ignored by the labels, so that p is that of the answer. Reports the mean factor
/// on the gradient, and p. Source: DCO, arXiv 2502.07154.
///
/// ```java
/// var objective = DirectCoverage.of(model, 256);
/// ```
///
/// @param model what trains
/// @param n how many samples will be drawn, at least 1, where this is cross-entropy of sums
/// @param minWeight ε: examples whose factor is below it are left out of sum and count; 0 for none.
///     With it, a step of nothing but such examples ends the run
/// @param listener given each sequence with its factor, so that data can be chosen by it
public record DirectCoverage(
        CausalLM model, double n, double minWeight, ObjDoubleConsumer<Batch.Sequence> listener)
        implements Objective<Batch> {
    /// Checks the ranges.
    public DirectCoverage {
        if (!(n >= 1 && minWeight >= 0 && minWeight < 1)) {
            throw new PanagradException(
                    "directCoverage",
                    "out of range",
                    "n " + n + ", minWeight " + minWeight,
                    "n at least 1, minWeight 0 to below 1",
                    "");
        }
    }

    /// Creates the objective over all examples.
    public static DirectCoverage of(CausalLM model, double n) {
        return new DirectCoverage(model, n, 0, (sequence, weight) -> {});
    }

    /// Returns the same without examples whose factor is below ε.
    public DirectCoverage minWeight(double value) {
        return new DirectCoverage(model, n, value, listener);
    }

    /// Returns the same with a listener to the factors of examples.
    public DirectCoverage onWeight(ObjDoubleConsumer<Batch.Sequence> value) {
        return new DirectCoverage(model, n, minWeight, value);
    }

    @Override
    public LossTerm loss(Batch batch, Step step) {
        var predicted = PredictedTokens.of(model, batch, step.context());
        if (predicted.isEmpty()) {
            return LossTerm.of(predicted.nll().sum(), 0);
        }
        Tensor logProb = predicted.logProb(Reduction.SUM);
        double[] weights = SequenceLosses.coverageWeight(logProb.detach(), n).toDoubles();
        double[] logs = logProb.toDoubles();
        double[] kept = new double[weights.length];
        int count = 0;
        double weight = 0;
        double probability = 0;
        for (int i = 0; i < weights.length; i++) {
            listener.accept(predicted.sequences().get(i), weights[i]);
            kept[i] = weights[i] >= minWeight ? 1 : 0;
            count += (int) kept[i];
            weight += weights[i] / weights.length;
            probability += Math.exp(logs[i]) / weights.length;
        }
        Tensor sum = SequenceLosses.dco(logProb, n).mul(Answers.constant(logProb, kept)).sum();
        return new LossTerm(
                sum,
                count,
                batch.predicted(),
                Map.of("coverage_weight", weight, "probability", probability));
    }
}
