package io.github.panagrad.examples.rl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import org.junit.jupiter.api.Test;

class EnvironmentsTest {
    @Test
    void aPoleThatIsPushedOneWayFalls() {
        var cart = new CartPole(0, 1);
        cart.reset();
        int steps = 0;
        Environment.Outcome outcome;
        do {
            outcome = cart.step(1);
            steps++;
            assertThat(outcome.reward()).isEqualTo(1);
        } while (!outcome.done());

        assertThat(steps).isBetween(7, 12);
        assertThat(outcome.cut()).isFalse();
    }

    @Test
    void aPoleThatIsWatchedStandsUntilTheEpisodeIsCut() {
        var cart = new CartPole(0, 1);
        float[] seen = cart.reset();
        int steps = 0;
        Environment.Outcome outcome;
        do {
            outcome = cart.step(seen[2] + 0.5 * seen[3] + 0.1 * seen[1] > 0 ? 1 : 0);
            seen = outcome.observation();
            steps++;
        } while (!outcome.done() && !outcome.cut());

        assertThat(steps).isEqualTo(500);
        assertThat(outcome.done()).isFalse();
    }

    @Test
    void cartStepsAreThoseOfTheEquations() {
        var cart = new CartPole(0, 5);
        float[] before = cart.reset();
        float[] after = cart.step(1).observation();
        // Gymnasium's equations, written as they stand there.
        double cos = Math.cos(before[2]);
        double sin = Math.sin(before[2]);
        double temp = (10 + 0.05 * before[3] * before[3] * sin) / 1.1;
        double turn = (9.8 * sin - cos * temp) / (0.5 * (4.0 / 3 - 0.1 * cos * cos / 1.1));
        double speed = temp - 0.05 * turn * cos / 1.1;

        assertThat((double) after[0]).isCloseTo(before[0] + 0.02 * before[1], offset(1e-6));
        assertThat((double) after[1]).isCloseTo(before[1] + 0.02 * speed, offset(1e-6));
        assertThat((double) after[2]).isCloseTo(before[2] + 0.02 * before[3], offset(1e-6));
        assertThat((double) after[3]).isCloseTo(before[3] + 0.02 * turn, offset(1e-6));
    }

    @Test
    void noiseHidesRewardsAndNotTheirWorth() {
        var cart = new CartPole(1, 1);
        cart.reset();
        Environment.Outcome first = cart.step(0);
        Environment.Outcome second = cart.step(1);

        assertThat(first.reward()).isNotEqualTo(1).isNotEqualTo(second.reward());
        assertThat(first.worth()).isEqualTo(1);
    }

    @Test
    void theChainHasAPrizeAtEachEnd() {
        var chain = new NoisyChain(6, 0, 1);
        assertThat(chain.reset()).containsExactly(0, 0, 1, 0, 0, 0);
        assertThat(chain.step(0).reward()).isZero();
        assertThat(chain.step(0)).matches(o -> o.done() && o.worth() == 1);

        chain.reset();
        chain.step(1);
        chain.step(1);
        assertThat(chain.step(1)).matches(o -> o.done() && o.worth() == 10);

        chain.reset();
        Environment.Outcome outcome = chain.step(1);
        int steps = 1;
        while (!outcome.cut()) {
            outcome = chain.step(steps++ % 2);
        }
        assertThat(steps).isEqualTo(24);
    }

    @Test
    void worldsThatCannotBeAreRefused() {
        assertThatThrownBy(() -> new NoisyChain(3, 1, 1)).hasMessageContaining("3 places");
        assertThatThrownBy(() -> new CartPole(-1, 1)).hasMessageContaining("noise");
    }
}
