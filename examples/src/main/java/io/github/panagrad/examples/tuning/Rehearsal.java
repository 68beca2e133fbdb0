package io.github.panagrad.examples.tuning;

import io.github.panagrad.engine.Parameter;
import io.github.panagrad.nn.optim.Optimizer;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Phases;
import io.github.panagrad.nn.train.Trainer;
import java.util.List;

/// What a method needs to train before the run proper, such as to find out what is to train in it.
///
/// @param phases an empty list of phases, saved or resumed as the run is
/// @param objective what the task makes small, without what the method adds for the run proper
/// @param source the data of the run
/// @param maker makes trainers with the run's settings
/// @param optimizer that of the run proper
/// @param <B> the class of a batch
public record Rehearsal<B>(
        Phases phases,
        Objective<B> objective,
        BatchSource<B> source,
        Maker<B> maker,
        Optimizer optimizer) {
    /// Makes a trainer with a new optimizer.
    ///
    /// @param <B> the class of a batch
    @FunctionalInterface
    public interface Maker<B> {
        /// Makes a trainer.
        ///
        /// @param steps how many steps it takes; 0 for as many as the run proper
        Trainer<B> make(List<Parameter> parameters, Objective<B> objective, long steps);
    }
}
