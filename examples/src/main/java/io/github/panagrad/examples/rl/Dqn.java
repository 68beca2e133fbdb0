package io.github.panagrad.examples.rl;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.ValueCoding;
import io.github.panagrad.nn.layers.Mlp;
import io.github.panagrad.nn.optim.AdamW;
import java.util.ArrayList;
import java.util.List;

/// Learns what actions are worth, and acts by it: a deep Q-network (Mnih et al. 2015) whose values are
/// learnt in one of the ways of [ValueArm].
public final class Dqn {
    private final Environment environment;
    private final Settings settings;
    private final ValueCoding coding;
    private final Mlp network;
    private final Mlp target;
    private final AdamW optimizer;
    private final ReplayBuffer buffer;
    private final Rng rng;

    /// How to learn.
    ///
    /// @param head how values are learnt
    /// @param steps how many actions are taken
    /// @param hidden the width of the two hidden layers
    /// @param batch how many transitions a step learns from
    /// @param lr the learning rate of Adam
    /// @param gamma γ, what a reward is worth one step later
    /// @param capacity how many transitions are remembered
    /// @param warmup how many random actions come first
    /// @param syncEvery after how many steps the target network is renewed
    /// @param seed decides weights and what is drawn
    public record Settings(
            ValueHead head,
            int steps,
            int hidden,
            int batch,
            double lr,
            double gamma,
            int capacity,
            int warmup,
            int syncEvery,
            long seed) {
        /// 51 bins from 0 to 200, two layers of 64, batches of 32, γ 0.99; lr 5e-4, which suits a
        /// short run better than the 2.5e-4 of the paper.
        public static Settings of(ValueArm arm, int steps, long seed) {
            var head = new ValueHead(arm, 0, 200, 51, ValueArm.USUAL_SIGMA);
            return new Settings(head, steps, 64, 32, 5e-4, 0.99, 20_000, 500, 250, seed);
        }

        /// Returns the same with another range of bins.
        public Settings range(double from, double to) {
            return head(head.range(from, to));
        }

        /// Returns the same with values learnt in another way.
        public Settings head(ValueHead value) {
            return new Settings(
                    value, steps, hidden, batch, lr, gamma, capacity, warmup, syncEvery, seed);
        }
    }

    /// What came of it.
    ///
    /// @param returns the summed rewards of each whole episode, without noise
    public record Result(List<Double> returns) {
        /// Returns the mean of the last episodes.
        public double lastMean(int episodes) {
            int from = Math.max(0, returns.size() - episodes);
            return returns.subList(from, returns.size()).stream()
                    .mapToDouble(Double::doubleValue)
                    .average()
                    .orElse(Double.NaN);
        }
    }

    /// Creates a learner.
    public Dqn(Environment environment, Settings settings) {
        this.environment = environment;
        this.settings = settings;
        coding = settings.head().coding();
        rng = Rng.of(settings.seed());
        network = mlp();
        target = mlp();
        target.load(network.stateDict());
        optimizer = AdamW.of(network.trainable()).lr(settings.lr()).weightDecay(0).eps(3.125e-4);
        buffer = new ReplayBuffer(settings.capacity(), environment.observationSize());
    }

    private Mlp mlp() {
        return new Mlp(
                rng,
                environment.observationSize(),
                settings.hidden(),
                settings.hidden(),
                environment.actions() * coding.outputs());
    }

    /// Acts and learns for as many steps as the settings say.
    public Result run() {
        var returns = new ArrayList<Double>();
        float[] observation = environment.reset();
        double sum = 0;
        for (int step = 0; step < settings.steps(); step++) {
            int action = action(observation, step);
            Environment.Outcome outcome = environment.step(action);
            buffer.add(observation, action, outcome);
            sum += outcome.worth();
            observation = outcome.observation();
            if (outcome.done() || outcome.cut()) {
                returns.add(sum);
                sum = 0;
                observation = environment.reset();
            }
            if (step >= settings.warmup()) {
                Ops.scope(this::learn);
            }
            if (step % settings.syncEvery() == 0) {
                target.load(network.stateDict());
            }
        }
        return new Result(returns);
    }

    /// Explores less and less over the first fifth of the run.
    private int action(float[] observation, int step) {
        Rng.Draw draw = rng.draw();
        double explore = Math.max(0.05, 1 - 0.95 * step / (0.2 * settings.steps()));
        if (step < settings.warmup() || draw.uniform(0) < explore) {
            return (int) (draw.uniform(1) * environment.actions());
        }
        double[] values =
                Ops.noGrad(() ->
                        Ops.scope(() ->
                                values(Ops.tensor(observation, 1, observation.length))
                                        .toDoubles()));
        return best(values, 0, values.length);
    }

    /// Returns what actions are worth. Shapes: observations (B, size) → (B, actions).
    public Tensor values(Tensor observations) {
        return coding.values(byAction(network.call(observations)));
    }

    private Tensor byAction(Tensor outputs) {
        return outputs.reshape(outputs.dim(0), environment.actions(), coding.outputs());
    }

    private void learn() {
        ReplayBuffer.Sample sample = buffer.sample(settings.batch(), rng.draw());
        Tensor next = Ops.noGrad(() -> byAction(target.call(sample.after())));
        int actions = environment.actions();
        int[] taken = new int[settings.batch()];
        for (int i = 0; i < taken.length; i++) {
            taken[i] = i * actions + sample.actions()[i];
        }
        Tensor outputs =
                network.call(sample.before())
                        .reshape(taken.length * actions, coding.outputs())
                        .indexSelect(0, Ops.indices(taken, taken.length));
        Tensor loss = settings.head().arm().loss(coding, outputs, next, sample, settings.gamma());
        optimizer.step(loss.mean().backward());
    }

    /// Returns which of some numbers is the largest, counted from `from`.
    static int best(double[] values, int from, int count) {
        int best = 0;
        for (int i = 1; i < count; i++) {
            if (values[from + i] > values[from + best]) {
                best = i;
            }
        }
        return best;
    }
}
