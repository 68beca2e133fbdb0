package io.github.panagrad.examples.tuning;

import io.github.panagrad.adapters.Adapter;
import io.github.panagrad.examples.task.Task;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.optim.Optimizer;
import io.github.panagrad.nn.optim.ParamGroup;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What of a model is trained.
public interface Method {
    /// Makes the model ready to be trained in this way.
    ///
    /// @param task the model and its data, for methods that begin with a look at it
    Prepared prepare(Task<?> task, long seed);

    /// Returns a learning rate that does for the small models of the project's own tests; large ones
    /// want a tenth.
    double usualLr();

    /// Returns how many positions of the model's context it takes, such as those of a prompt.
    default int positions() {
        return 0;
    }

    /// A model made ready.
    interface Prepared {
        /// Settles what only the optimizer and some data can; called once, before the first step.
        ///
        /// @param batches the batches that the choice is made by
        default <B> void select(Optimizer optimizer, Objective<B> objective, Iterable<B> batches) {}

        /// Trains before the run proper, in phases of its own; called once, before the first step.
        ///
        /// @return whether that was not stopped; if it was, a resumed run goes on with it
        default <B> boolean rehearse(Rehearsal<B> rehearsal) {
            return true;
        }

        /// Returns settings of their own for some parameters.
        ///
        /// @param lr the learning rate of the others
        default List<ParamGroup> groups(double lr) {
            return List.of();
        }

        /// Returns how many parameters are trained, once that is settled.
        default long trained(Module model) {
            return model.trainableCount();
        }

        /// Adds to the objective what the method needs, such as a regulariser.
        default <B> Objective<B> objective(Objective<B> objective) {
            return objective;
        }

        /// Sets up what the method does while a trainer runs.
        default <B> void attend(Trainer<B> trainer) {}

        /// Returns the adapter that was attached, null for methods that have none.
        default @Nullable Adapter adapter() {
            return null;
        }

        /// Writes the result to a folder.
        void save(Path folder);

        /// Says in a few words what is trained.
        String describe();
    }
}
