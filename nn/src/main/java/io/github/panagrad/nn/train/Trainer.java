package io.github.panagrad.nn.train;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Parameter;
import io.github.panagrad.engine.Scope;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.Module;
import io.github.panagrad.nn.optim.Optimizer;
import io.github.panagrad.nn.optim.Schedule;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// Trains: batches in, steps of the optimizer out.
///
/// ```java
/// var report = Trainer.of(model, optimizer, Objectives.nextToken(model))
///         .epochs(3).accumulation(4).maxGradNorm(1.0)
///         .schedule(Schedule.cosine().warmup(100))
///         .onStep(m -> System.out.println(m.step() + " " + m.loss()))
///         .run(batches);
/// ```
///
/// A run depends on its seed and its data alone, not on the number of threads; stopped and resumed
/// it gives the same bits as one that ran through. Each step has a memory scope of its own.
///
/// @param <B> the class of a batch
public final class Trainer<B> {
    private static final System.Logger LOG = System.getLogger("io.github.panagrad");
    private static final int SANITY_STEPS = 3;

    private final Module model;
    private final Optimizer optimizer;
    private final Objective<B> objective;
    private final List<GradTransform> transforms = new ArrayList<>();
    private final List<Consumer<StepMetrics>> listeners = new ArrayList<>();
    private final Map<Long, List<LongConsumer>> periodic = new TreeMap<>();
    private Schedule schedule = Schedule.constant();
    private Consumer<String> warnings = text -> LOG.log(System.Logger.Level.WARNING, text);
    private BooleanSupplier stop = () -> false;
    private long maxSteps = Long.MAX_VALUE;
    private int maxEpochs = Integer.MAX_VALUE;
    private int accumulation = 1;
    private double maxGradNorm;
    private long seed;
    private @Nullable Path stateFile;
    private long saveEvery;
    private long savedStep = -1;
    private TrainingState at = new TrainingState(0, 0, 0, 0, 0);

    private Trainer(Module model, Optimizer optimizer, Objective<B> objective) {
        this.model = model;
        this.optimizer = optimizer;
        this.objective = objective;
    }

    /// Creates a trainer for one epoch.
    ///
    /// @param model switched to training mode for the steps
    public static <B> Trainer<B> of(Module model, Optimizer optimizer, Objective<B> objective) {
        return new Trainer<B>(model, optimizer, objective).epochs(1);
    }

    /// Returns the optimizer, such as to mask what it changes.
    public Optimizer optimizer() {
        return optimizer;
    }

    /// Trains for a number of steps, over as many epochs as that takes.
    public Trainer<B> steps(long count) {
        maxSteps = atLeastOne("steps", count);
        maxEpochs = Integer.MAX_VALUE;
        return this;
    }

    /// Trains for a number of passes over the data.
    public Trainer<B> epochs(int count) {
        maxEpochs = (int) atLeastOne("epochs", count);
        maxSteps = Long.MAX_VALUE;
        return this;
    }

    /// Takes several batches for one step. The last step of an epoch may have fewer.
    public Trainer<B> accumulation(int batches) {
        accumulation = (int) atLeastOne("accumulation", batches);
        return this;
    }

    private static long atLeastOne(String what, long value) {
        if (value < 1) {
            throw new PanagradException(
                    "trainer", what + " out of range", "" + value, "at least 1", "");
        }
        return value;
    }

    /// Scales gradients down to a global norm of at most `max`; 0 for no limit.
    public Trainer<B> maxGradNorm(double max) {
        if (!(max >= 0)) {
            throw new PanagradException(
                    "trainer", "maxGradNorm out of range", "" + max, "0 or more", "");
        }
        maxGradNorm = max;
        return this;
    }

    /// Multiplies the learning rate by a schedule.
    public Trainer<B> schedule(Schedule factor) {
        schedule = factor;
        return this;
    }

    /// Seeds dropout and whatever else the model draws.
    public Trainer<B> seed(long value) {
        seed = value;
        return this;
    }

    /// Calls a listener after every step.
    public Trainer<B> onStep(Consumer<StepMetrics> listener) {
        listeners.add(listener);
        return this;
    }

    /// Calls an action after every `steps`-th step, such as an evaluation; the model is out of
    /// training mode meanwhile.
    ///
    /// @param action given the number of the step
    public Trainer<B> every(long steps, LongConsumer action) {
        periodic.computeIfAbsent(atLeastOne("every", steps), n -> new ArrayList<>()).add(action);
        return this;
    }

    /// Adds a look at, or a change of, the gradients before clipping; in the order added.
    public Trainer<B> transform(GradTransform transform) {
        transforms.add(transform);
        return this;
    }

    /// Takes warnings, such as those of [GradientSanity], which runs over the first three steps;
    /// without this they go to the system's logger.
    public Trainer<B> onWarning(Consumer<String> listener) {
        warnings = listener;
        return this;
    }

    /// Ends the run after the step in which `flag` has become true, with the state saved.
    public Trainer<B> stopWhen(BooleanSupplier flag) {
        stop = flag;
        return this;
    }

    /// Saves the run's state every `steps` steps, at the end and when stopped, for [#resume].
    ///
    /// @param file replaced whole each time
    /// @param steps 0 for only at the end and when stopped
    public Trainer<B> saveState(Path file, long steps) {
        stateFile = file;
        saveEvery = steps;
        return this;
    }

    /// Goes on from a saved state: parameters, optimizer, what the objective remembers and place in
    /// the data.
    ///
    /// The seed becomes that of the saved run; everything else must be set up as it was.
    ///
    /// @throws PanagradException if the file is none, or of another model or optimizer
    public Trainer<B> resume(Path file) {
        at = TrainingState.load(file, optimizer, objective);
        seed = at.seed();
        savedStep = at.step();
        return this;
    }

    /// Trains until the steps or epochs are done, or the stop flag is raised.
    ///
    /// @throws TrainingException if the loss or a gradient is not finite, or all labels of a step
    ///     are ignored; the parameters are those after the last good step
    public TrainingReport run(BatchSource<B> source) {
        var sanity = new GradientSanity(optimizer.parameters(), SANITY_STEPS, warnings);
        boolean fresh = at.step() == 0;
        if (accumulation > 1 && !objective.isAccumulationInvariant()) {
            warnings.accept(
                    "the objective compares the rows of a batch: "
                            + accumulation
                            + " small batches are not one large one");
        }
        long total = totalSteps(source.batchesPerEpoch());
        double lastLoss = Double.NaN;
        boolean stopped = false;
        model.training(true);
        try {
            while (!stopped && at.epoch() < maxEpochs && at.step() < maxSteps) {
                Iterator<B> batches = source.epoch(at.epoch()).iterator();
                skip(batches, at.batch());
                boolean any = at.batch() > 0;
                while (!stopped && at.step() < maxSteps && batches.hasNext()) {
                    any = true;
                    StepMetrics metrics = step(window(batches), total, fresh ? sanity : null);
                    lastLoss = metrics.loss();
                    afterStep(metrics);
                    stopped = stop.getAsBoolean();
                }
                if (!any) {
                    throw new PanagradException(
                            "trainer", "no batches", "epoch " + at.epoch(), "at least one", "");
                }
                if (!batches.hasNext()) {
                    at = new TrainingState(at.step(), at.epoch() + 1, 0, at.tokens(), seed);
                }
            }
        } catch (TrainingException e) {
            if (savedStep < 0) {
                save();
            }
            throw e;
        } finally {
            model.training(false);
        }
        save();
        return new TrainingReport(at.step(), at.tokens(), lastLoss, stopped);
    }

    private long totalSteps(long batchesPerEpoch) {
        return maxSteps != Long.MAX_VALUE
                ? maxSteps
                : maxEpochs * Math.ceilDiv(batchesPerEpoch, accumulation);
    }

    private static void skip(Iterator<?> batches, long count) {
        for (long i = 0; i < count && batches.hasNext(); i++) {
            batches.next();
        }
    }

    /// Takes the batches of one step. They are made outside of the step's scope: a source may keep
    /// them.
    private List<B> window(Iterator<B> batches) {
        var window = new ArrayList<B>();
        while (window.size() < accumulation && batches.hasNext()) {
            window.add(batches.next());
        }
        return window;
    }

    private StepMetrics step(List<B> window, long total, @Nullable GradientSanity sanity) {
        long number = at.step() + 1;
        long started = System.nanoTime();
        var sums = new Sums();
        optimizer.lrFactor(schedule.at(number - 1, total));
        double norm =
                Scope.scope(
                        "step " + number,
                        () -> {
                            Grads grads = gradients(window, number, total, sums);
                            return update(grads, number, total, sums, sanity);
                        });
        at =
                new TrainingState(
                        number,
                        at.epoch(),
                        at.batch() + window.size(),
                        at.tokens() + sums.tokens,
                        seed);
        return new StepMetrics(
                number,
                at.epoch(),
                sums.loss / sums.count,
                optimizer.lr(),
                norm,
                sums.tokens,
                (System.nanoTime() - started) * 1e-9,
                sums.report(window.size()));
    }

    /// What the batches of a step add up to.
    private static final class Sums {
        private double loss;
        private double count;
        private long tokens;
        private final Map<String, Double> report = new TreeMap<>();

        void add(LossTerm term, double sum) {
            loss += sum;
            count += term.count();
            tokens += term.tokens();
            term.report().forEach((name, value) -> report.merge(name, value, Double::sum));
        }

        Map<String, Double> report(int batches) {
            var means = new TreeMap<String, Double>();
            report.forEach((name, sum) -> means.put(name, sum / batches));
            return means;
        }
    }

    private Grads gradients(List<B> window, long number, long total, Sums sums) {
        Grads all = null;
        for (int i = 0; i < window.size(); i++) {
            B batch = window.get(i);
            Step step = new Step(number, total, at.epoch(), Context.of(generator(number, i)));
            Grads grads =
                    Scope.scope(
                            "batch",
                            () -> {
                                LossTerm term = objective.loss(batch, step);
                                double sum = term.sum().item();
                                requireFinite(number, "the loss is not finite", sum);
                                sums.add(term, sum);
                                return term.sum().backward();
                            });
            all = all == null ? grads : all.accumulate(grads);
        }
        if (all == null || !(sums.count > 0)) {
            throw new TrainingException(
                    number,
                    "all labels are ignored",
                    sums.count + " terms of the loss",
                    "check prompts and lengths: the part to learn may have been cut off");
        }
        return all;
    }

    /// Returns a generator that depends on the run's seed, the step and the place in it alone.
    private Rng generator(long step, int place) {
        var draw = new Rng.Draw(seed, step);
        return Rng.of((long) draw.bits(2L * place) << 32 | draw.bits(2L * place + 1) & 0xFFFFFFFFL);
    }

    private double update(
            Grads grads, long number, long total, Sums sums, @Nullable GradientSanity sanity) {
        Step step = new Step(number, total, at.epoch(), Context.of(generator(number, -1)));
        Grads changed = grads;
        if (sanity != null) {
            changed = sanity.apply(changed, sums.count, step);
        }
        for (GradTransform transform : transforms) {
            changed = transform.apply(changed, sums.count, step);
        }
        double norm = changed.norm() / sums.count;
        if (!Double.isFinite(norm)) {
            requireFinite(number, "the gradient is not finite" + where(changed), norm);
        }
        double scale = 1 / sums.count;
        if (maxGradNorm > 0 && norm > maxGradNorm) {
            scale *= maxGradNorm / (norm + 1e-6);
        }
        optimizer.step(changed, scale);
        return norm;
    }

    private String where(Grads grads) {
        for (Parameter p : optimizer.parameters()) {
            boolean bad =
                    grads.find(p)
                            .map(g -> !Double.isFinite(GradientSanity.sumOfSquares(g)))
                            .orElse(false);
            if (bad) {
                return " at parameter " + p.name();
            }
        }
        return "";
    }

    private void requireFinite(long number, String what, double value) {
        if (!Double.isFinite(value)) {
            String saved = savedStep >= 0 ? "; saved is the state after step " + savedStep : "";
            throw new TrainingException(
                    number,
                    what,
                    Double.toString(value),
                    "the parameters are those after step "
                            + (number - 1)
                            + saved
                            + "; try a lower learning rate or clipping");
        }
    }

    private void afterStep(StepMetrics metrics) {
        listeners.forEach(listener -> listener.accept(metrics));
        var due = new ArrayList<LongConsumer>();
        periodic.forEach((steps, actions) -> {
            if (metrics.step() % steps == 0) {
                due.addAll(actions);
            }
        });
        if (!due.isEmpty()) {
            model.training(false);
            due.forEach(action -> action.accept(metrics.step()));
            model.training(true);
        }
        if (saveEvery > 0 && metrics.step() % saveEvery == 0) {
            save();
        }
    }

    private void save() {
        Path file = stateFile;
        if (file != null && at.step() != savedStep) {
            new TrainingState(at.step(), at.epoch(), at.batch(), at.tokens(), seed)
                    .save(file, optimizer, objective);
            savedStep = at.step();
        }
    }
}
