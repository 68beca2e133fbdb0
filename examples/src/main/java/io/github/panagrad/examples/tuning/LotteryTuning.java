package io.github.panagrad.examples.tuning;

import io.github.panagrad.adapters.sparse.LotteryTicket;
import io.github.panagrad.adapters.sparse.SparseFineTuner;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.examples.task.Task;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.optim.Optimizer;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.TrainingReport;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Trains the entries that full fine-tuning would change most, and writes their change beside the model.
///
/// @param ticket how many entries, and how they are found
/// @param fullSteps how long full phases are; 0 for as long as the run
public record LotteryTuning(LotteryTicket ticket, long fullSteps) implements Method {
    @Override
    public double usualLr() {
        return 1e-3;
    }

    @Override
    public Prepared prepare(Task<?> task, long seed) {
        Module model = task.model();
        model.to(DType.F32);
        model.unfreeze();
        return new Ticket(task);
    }

    private final class Ticket implements Prepared {
        private final Task<?> task;
        private @Nullable SparseFineTuner tuner;

        private Ticket(Task<?> task) {
            this.task = task;
        }

        private SparseFineTuner tuner() {
            if (tuner == null) {
                tuner = SparseFineTuner.of(task.model(), task.selection(), ticket);
            }
            return tuner;
        }

        @Override
        public <B> void select(Optimizer optimizer, Objective<B> objective, Iterable<B> batches) {
            // Notes the values that the change is from, before a resumed run takes over others.
            tuner();
        }

        @Override
        public <B> Objective<B> objective(Objective<B> objective) {
            return tuner().inSparsePhase(objective);
        }

        @Override
        public <B> boolean rehearse(Rehearsal<B> rehearsal) {
            List<TrainingReport> reports =
                    tuner().addBeginningTo(
                                    rehearsal.phases(),
                                    rehearsal.objective(),
                                    rehearsal.source(),
                                    (parameters, goal) ->
                                            rehearsal.maker().make(parameters, goal, fullSteps),
                                    (parameters, goal) ->
                                            rehearsal.maker().make(parameters, goal, 0))
                            .run();
            if (reports.getLast().stopped()) {
                return false;
            }
            tuner().begin(rehearsal.optimizer());
            return true;
        }

        @Override
        public long trained(Module of) {
            return Math.max(1, Math.round(ticket.density() * of.parameterCount()));
        }

        @Override
        public void save(Path folder) {
            tuner().finish().save(folder);
            task.save(folder);
        }

        @Override
        public String describe() {
            return "%,d of %,d parameters, those that full training moves furthest"
                    .formatted(trained(task.model()), task.model().parameterCount());
        }
    }
}
