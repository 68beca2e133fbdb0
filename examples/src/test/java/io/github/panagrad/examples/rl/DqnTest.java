package io.github.panagrad.examples.rl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.losses.ValueCoding;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DqnTest {
    @ParameterizedTest
    @EnumSource
    void everyArmFindsTheFarPrize(ValueArm arm) {
        var settings = Dqn.Settings.of(arm, 3000, 1).range(-5, 15);
        var learner = new Dqn(new NoisyChain(6, 0.5, 3), settings);
        Dqn.Result result = learner.run();

        // Going right from the third of six places is worth 10·0.99², going left 0.99.
        assertThat(result.lastMean(20)).isGreaterThan(8);
        float[] start = {0, 0, 1, 0, 0, 0};
        Tensor values = Ops.noGrad(() -> learner.values(Ops.tensor(start, 1, 6)));
        assertThat(values.at(0, 1)).isCloseTo(9.8, offset(1.5));
        assertThat(values.at(0, 1)).isGreaterThan(values.at(0, 0));
    }

    @Test
    void sameSeedSameReturns() {
        var settings = Dqn.Settings.of(ValueArm.HL_GAUSS, 700, 1);
        var first = new Dqn(new CartPole(1, 3), settings).run();
        var second = new Dqn(new CartPole(1, 3), settings).run();

        assertThat(second.returns()).isEqualTo(first.returns()).isNotEmpty();
    }

    @Test
    void theBufferForgetsTheOldest() {
        var buffer = new ReplayBuffer(3, 1);
        for (int i = 0; i < 5; i++) {
            buffer.add(
                    new float[] {i},
                    i % 2,
                    new Environment.Outcome(new float[] {i + 1}, 10 * i, 0, i == 4, false));
        }
        ReplayBuffer.Sample sample = buffer.sample(50, Rng.of(2).draw());

        assertThat(buffer.size()).isEqualTo(3);
        for (int i = 0; i < 50; i++) {
            double from = sample.before().at(i, 0);
            assertThat(from).isBetween(2.0, 4.0);
            assertThat(sample.after().at(i, 0)).isEqualTo(from + 1);
            assertThat(sample.rewards()[i]).isEqualTo(10 * from);
            assertThat(sample.actions()[i]).isEqualTo((int) from % 2);
            assertThat(sample.done()[i]).isEqualTo(from == 4);
        }
    }

    @Test
    void categoricalLossFollowsTheBestAction() {
        ValueCoding coding = ValueArm.C51.coding(-1, 1, 3);
        // In the next state, action 0 surely brings −1 and action 1 surely 1.
        Tensor next = Ops.tensor(new float[] {50, 0, 0, 0, 0, 50}, 1, 2, 3);
        var sample =
                new ReplayBuffer.Sample(
                        next, next, new int[1], new double[] {-0.4}, new boolean[1]);
        Tensor logits = Ops.tensor(new float[] {0.3f, 1, -0.2f}, 1, 3);
        double loss = ValueArm.C51.loss(coding, logits, next, sample, 0.9).item();
        // −0.4 + 0.9·1 lies halfway between 0 and 1.
        Tensor log = Ops.logSoftmax(logits, -1);
        assertThat(loss).isCloseTo(-0.5 * (log.at(0, 1) + log.at(0, 2)), offset(1e-5));
    }
}
