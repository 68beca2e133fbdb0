package io.github.panagrad.adapters.spectra;

import io.github.panagrad.adapters.delta.Delta;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.train.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;

/// Counts intruder dimensions while a model trains, and leaves the training as it is.
///
/// ```java
/// var spectra = Spectra.of(model.selection().blocks(b -> true));
/// var adapter = Lora.rank(8).attach(model, "model.layers.**_proj");
/// var probe = new SpectraProbe(spectra, adapter::delta).onPoint(System.out::println);
/// probe.on(trainer, 100).run(batches);
/// ```
///
/// For a model that is trained itself, the change is `Delta.difference(before, model.stateDict())`, with
/// [Delta#snapshot] taken before.
public final class SpectraProbe implements LongConsumer {
    /// How many of the largest singular values the paper's tool looks at.
    private static final int USUAL_K = 10;

    /// Below which likeness the paper's tool takes a vector for an intruder.
    private static final double USUAL_EPSILON = 0.5;

    private final Spectra base;
    private final Supplier<Delta> change;
    private final List<Point> points = new ArrayList<>();
    private Consumer<Point> listener = point -> {};
    private int k = USUAL_K;
    private double epsilon = USUAL_EPSILON;
    private Side side = Side.LEFT;

    /// What was seen after a step.
    ///
    /// @param step the step
    /// @param intruders how many in all matrices
    /// @param looked how many vectors were looked at
    /// @param leastLikeness of all vectors
    /// @param meanStableRank of the matrices' changes
    public record Point(
            long step, int intruders, int looked, double leastLikeness, double meanStableRank) {
        private static Point of(long step, SpectraReport report) {
            double least =
                    report.matrices().stream()
                            .flatMapToDouble(m -> Arrays.stream(m.likeness()))
                            .min()
                            .orElse(1);
            return new Point(
                    step, report.intruders(), report.looked(), least, report.meanStableRank());
        }

        /// Returns all figures.
        public JsonObject toJson() {
            return JsonObject.of(
                    "step", step,
                    "intruders", intruders,
                    "looked", looked,
                    "least_likeness", leastLikeness,
                    "mean_stable_rank", meanStableRank);
        }
    }

    /// Makes a probe that looks at the left vectors of the ten largest singular values, with ε = 0.5.
    ///
    /// @param base the matrices as they were
    /// @param change what has become of them since, asked for at each look
    public SpectraProbe(Spectra base, Supplier<Delta> change) {
        this.base = base;
        this.change = change;
    }

    /// Sets what is looked at, as for [Spectra#compare].
    public SpectraProbe looking(int largest, double below, Side at) {
        k = largest;
        epsilon = below;
        side = at;
        return this;
    }

    /// Calls a listener with each point.
    public SpectraProbe onPoint(Consumer<Point> with) {
        listener = with;
        return this;
    }

    /// Looks after every `steps`-th step of a trainer.
    ///
    /// @return the trainer
    /// @throws PanagradException if the change cannot be told, or is not of the base's matrices
    public <B> Trainer<B> on(Trainer<B> trainer, long steps) {
        if (steps < 1) {
            throw new PanagradException("probe", "steps out of range", "" + steps, "1 or more", "");
        }
        // What cannot be looked at is to be said before the training, not in the middle of it.
        base.check(change.get(), k, epsilon);
        return trainer.every(steps, this);
    }

    /// Looks, after a step.
    @Override
    public void accept(long step) {
        Point point = Point.of(step, base.compare(change.get(), k, epsilon, side));
        points.add(point);
        listener.accept(point);
    }

    /// Returns what was seen so far, in order.
    public List<Point> points() {
        return List.copyOf(points);
    }
}
