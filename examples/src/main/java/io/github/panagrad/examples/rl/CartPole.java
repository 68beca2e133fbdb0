package io.github.panagrad.examples.rl;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;

/// A pole on a cart that is pushed left or right; a reward of 1 for every step that it stands (Barto,
/// Sutton and Anderson 1983, with the constants of Gymnasium's CartPole-v1).
///
/// An episode ends when the pole leans by more than 12° or the cart leaves the track, and is cut after
/// 500 steps.
public final class CartPole implements Environment {
    private static final double GRAVITY = 9.8;
    private static final double CART_MASS = 1;
    private static final double POLE_MASS = 0.1;
    private static final double HALF_LENGTH = 0.5;
    private static final double FORCE = 10;
    private static final double SECONDS = 0.02;
    private static final double LARGEST_ANGLE = Math.toRadians(12);
    private static final double LARGEST_PLACE = 2.4;
    private static final int LONGEST = 500;

    private final Rng rng;
    private final double noise;
    private Rng.Draw draw;
    private double place;
    private double speed;
    private double angle;
    private double turn;
    private int steps;

    /// Creates a cart.
    ///
    /// @param noise the deviation of what is added to rewards, 0 for none
    public CartPole(double noise, long seed) {
        if (!(noise >= 0)) {
            throw new PanagradException(
                    "cartpole", "noise is out of range", "" + noise, "0 or more", "");
        }
        this.noise = noise;
        rng = Rng.of(seed);
        draw = rng.draw();
    }

    @Override
    public int observationSize() {
        return 4;
    }

    @Override
    public int actions() {
        return 2;
    }

    @Override
    public float[] reset() {
        draw = rng.draw();
        place = start(0);
        speed = start(1);
        angle = start(2);
        turn = start(3);
        steps = 0;
        return observation();
    }

    private double start(int i) {
        return 0.1 * draw.uniform(i) - 0.05;
    }

    @Override
    public Outcome step(int action) {
        double force = action == 1 ? FORCE : -FORCE;
        double mass = CART_MASS + POLE_MASS;
        double moment = POLE_MASS * HALF_LENGTH;
        double cos = Math.cos(angle);
        double sin = Math.sin(angle);
        double pushed = (force + moment * turn * turn * sin) / mass;
        double turnChange =
                (GRAVITY * sin - cos * pushed)
                        / (HALF_LENGTH * (4.0 / 3 - POLE_MASS * cos * cos / mass));
        double speedChange = pushed - moment * turnChange * cos / mass;
        place += SECONDS * speed;
        speed += SECONDS * speedChange;
        angle += SECONDS * turn;
        turn += SECONDS * turnChange;
        steps++;
        boolean done = Math.abs(place) > LARGEST_PLACE || Math.abs(angle) > LARGEST_ANGLE;
        double seen = 1 + (noise > 0 ? noise * draw.normal(2 + steps) : 0);
        return new Outcome(observation(), seen, 1, done, !done && steps >= LONGEST);
    }

    private float[] observation() {
        return new float[] {(float) place, (float) speed, (float) angle, (float) turn};
    }
}
