package io.github.panagrad.nn.train;

import io.github.panagrad.engine.Tensor;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/// Adds to objectives what depends on parameters alone, such as a regulariser.
public final class Penalty {
    private Penalty() {}

    /// Adds `weight` times a penalty to the mean loss that an objective makes small.
    ///
    /// With its gradient it counts once a step, however many batches the step has.
    ///
    /// @param name the penalty's name in the report
    /// @param penalty computes a scalar, with its history
    public static <B> Objective<B> on(
            Objective<B> objective, String name, double weight, Supplier<Tensor> penalty) {
        return new Objective<>() {
            @Override
            public LossTerm loss(B batch, Step step) {
                LossTerm term = objective.loss(batch, step);
                Tensor extra = penalty.get();
                Map<String, Double> report = new TreeMap<>(term.report());
                report.put(name, extra.item());
                return new LossTerm(
                        term.sum().add(extra.mul(weight * term.count())),
                        term.count(),
                        term.tokens(),
                        report);
            }

            @Override
            public boolean isAccumulationInvariant() {
                return objective.isAccumulationInvariant();
            }

            @Override
            public Map<String, Tensor> state() {
                return objective.state();
            }

            @Override
            public void load(Map<String, Tensor> state) {
                objective.load(state);
            }
        };
    }
}
