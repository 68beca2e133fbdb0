package io.github.panagrad.examples.rl;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;

/// The latest transitions, to learn from again in random order.
public final class ReplayBuffer {
    private final int observationSize;
    private final float[] before;
    private final float[] after;
    private final int[] actions;
    private final double[] rewards;
    private final boolean[] done;
    private long added;

    /// Creates an empty buffer.
    ///
    /// @param capacity how many transitions it holds; then the oldest give way
    public ReplayBuffer(int capacity, int observationSize) {
        this.observationSize = observationSize;
        before = new float[capacity * observationSize];
        after = new float[capacity * observationSize];
        actions = new int[capacity];
        rewards = new double[capacity];
        done = new boolean[capacity];
    }

    /// Adds a transition.
    public void add(float[] observation, int action, Environment.Outcome outcome) {
        int at = (int) (added++ % actions.length);
        System.arraycopy(observation, 0, before, at * observationSize, observationSize);
        System.arraycopy(outcome.observation(), 0, after, at * observationSize, observationSize);
        actions[at] = action;
        rewards[at] = outcome.reward();
        done[at] = outcome.done();
    }

    /// Returns how many transitions there are.
    public int size() {
        return (int) Math.min(added, actions.length);
    }

    /// Some transitions.
    ///
    /// @param before what was seen, F32 (B, observation)
    /// @param after what was seen next, F32 (B, observation)
    /// @param actions what was done
    /// @param rewards what it brought
    /// @param done whether nothing follows
    @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
    public record Sample(
            Tensor before, Tensor after, int[] actions, double[] rewards, boolean[] done) {}

    /// Draws transitions, each with the same chance.
    public Sample sample(int count, Rng.Draw draw) {
        float[] from = new float[count * observationSize];
        float[] to = new float[count * observationSize];
        int[] chosen = new int[count];
        double[] gained = new double[count];
        boolean[] ended = new boolean[count];
        for (int i = 0; i < count; i++) {
            int at = (int) (draw.uniform(i) * size());
            System.arraycopy(
                    before, at * observationSize, from, i * observationSize, observationSize);
            System.arraycopy(after, at * observationSize, to, i * observationSize, observationSize);
            chosen[i] = actions[at];
            gained[i] = rewards[at];
            ended[i] = done[at];
        }
        return new Sample(
                Ops.tensor(from, count, observationSize),
                Ops.tensor(to, count, observationSize),
                chosen,
                gained,
                ended);
    }
}
