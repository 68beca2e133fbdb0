package io.github.panagrad.examples.tuning;

import io.github.panagrad.adapters.sparse.HalfFineTuning;
import io.github.panagrad.adapters.sparse.HalfSelection;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.examples.task.Task;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.ParamSelection;
import io.github.panagrad.nn.optim.Optimizer;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Trains half of the parameters, another one in each round.
///
/// @param half what is drawn
/// @param rounds when another half is drawn
/// @param stage the number of the run among those of a sequence, from 0: the round it begins with
public record HalfTuning(HalfSelection half, Rounds rounds, int stage) implements Method {
    /// When another half is drawn.
    public enum Rounds {
        /// With every run.
        STAGE,
        /// With every pass over the data.
        EPOCH
    }

    @Override
    public double usualLr() {
        return 5e-4;
    }

    @Override
    public Prepared prepare(Task<?> task, long seed) {
        Module model = task.model();
        model.to(DType.F32);
        model.unfreeze();
        HalfSelection seeded =
                new HalfSelection(half.level(), half.fraction(), seed, half.outside());
        return new Halves(task, seeded);
    }

    private final class Halves implements Prepared {
        private final Task<?> task;
        private final HalfSelection drawing;
        private final ParamSelection all;
        private @Nullable HalfFineTuning tuning;

        private Halves(Task<?> task, HalfSelection drawing) {
            this.task = task;
            this.drawing = drawing;
            this.all = task.selection();
        }

        @Override
        public <B> Objective<B> objective(Objective<B> objective) {
            return rounds == Rounds.STAGE
                    ? objective
                    : Objectives.beforeEach(step -> round(stage + step.epoch()), objective);
        }

        private void round(int number) {
            if (tuning != null) {
                tuning.round(number);
            }
        }

        @Override
        public <B> void select(Optimizer optimizer, Objective<B> objective, Iterable<B> batches) {
            tuning = HalfFineTuning.of(all, optimizer, drawing);
            round(stage);
        }

        @Override
        public long trained(Module of) {
            return drawing.draw(all, stage).count();
        }

        @Override
        public void save(Path folder) {
            task.save(folder);
        }

        @Override
        public String describe() {
            return "%,d of %,d parameters at a time, those outside of all blocks %s"
                    .formatted(
                            trained(task.model()),
                            all.count(),
                            drawing.trainsOutside(all) ? "among them" : "frozen");
        }
    }
}
