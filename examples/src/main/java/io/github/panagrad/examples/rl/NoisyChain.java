package io.github.panagrad.examples.rl;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;

/// A row of places with a small prize at the near end and a large one at the far end, and rewards so
/// noisy that a single one says little.
///
/// Episodes begin at the third place; actions go left and right. The left end is worth 1, the right
/// end 10, all else nothing; every reward has normal noise added. An episode is cut after four times
/// as many steps as there are places.
public final class NoisyChain implements Environment {
    private static final int START = 2;
    private static final double NEAR_PRIZE = 1;
    private static final double FAR_PRIZE = 10;

    private final int places;
    private final double noise;
    private final Rng rng;
    private Rng.Draw draw;
    private int at = START;
    private int steps;

    /// Creates a chain.
    ///
    /// @param places how many there are, the ends among them; at least 4
    /// @param noise the deviation of what is added to rewards, 0 for none
    public NoisyChain(int places, double noise, long seed) {
        if (places < 4 || !(noise >= 0)) {
            throw new PanagradException(
                    "chain",
                    "no such chain",
                    places + " places, noise " + noise,
                    "at least 4 places, noise of 0 or more",
                    "");
        }
        this.places = places;
        this.noise = noise;
        rng = Rng.of(seed);
        draw = rng.draw();
    }

    @Override
    public int observationSize() {
        return places;
    }

    @Override
    public int actions() {
        return 2;
    }

    @Override
    public float[] reset() {
        draw = rng.draw();
        at = START;
        steps = 0;
        return observation();
    }

    @Override
    public Outcome step(int action) {
        at += action == 1 ? 1 : -1;
        steps++;
        boolean done = at == 0 || at == places - 1;
        double worth = at == 0 ? NEAR_PRIZE : at == places - 1 ? FAR_PRIZE : 0;
        double seen = worth + (noise > 0 ? noise * draw.normal(steps) : 0);
        return new Outcome(observation(), seen, worth, done, !done && steps >= 4 * places);
    }

    private float[] observation() {
        float[] here = new float[places];
        here[at] = 1;
        return here;
    }
}
