package io.github.panagrad.nn.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class SamplerTest {
    private static final float[] LOGITS = {1, 3, 2, 3, -1};

    private static double[] shares(Sampling sampling, float[] logits, int draws) {
        var sampler = new Sampler(sampling);
        double[] shares = new double[logits.length];
        for (int i = 0; i < draws; i++) {
            shares[sampler.next(logits)] += 1.0 / draws;
        }
        return shares;
    }

    @Test
    void greedyTakesTheFirstOfTheLikeliest() {
        assertThat(new Sampler(Sampling.greedy()).next(LOGITS)).isEqualTo(1);
    }

    @Test
    void temperatureDrawsFromTheSoftmax() {
        double[] expected = new double[LOGITS.length];
        double total = 0;
        for (int i = 0; i < LOGITS.length; i++) {
            expected[i] = Math.exp(LOGITS[i] / 0.7);
            total += expected[i];
        }
        double[] shares = shares(Sampling.temperature(0.7).seed(1), LOGITS, 20000);
        for (int i = 0; i < LOGITS.length; i++) {
            assertThat(shares[i]).isCloseTo(expected[i] / total, within(0.015));
        }
    }

    @Test
    void topKAndTopPCutTheTail() {
        double[] two = shares(Sampling.temperature(1).topK(2).seed(1), LOGITS, 4000);
        assertThat(two[1] + two[3]).isCloseTo(1, within(1e-9));
        assertThat(two[1]).isCloseTo(0.5, within(0.03));
        // The two likeliest have 0.40 each: both are needed to reach 0.5, no more.
        double[] half = shares(Sampling.temperature(1).topP(0.5).seed(1), LOGITS, 4000);
        assertThat(half[1] + half[3]).isCloseTo(1, within(1e-9));
        double[] most = shares(Sampling.temperature(1).topP(0.9).seed(1), LOGITS, 4000);
        assertThat(most[2]).isPositive();
        assertThat(most[0] + most[4]).isZero();
        assertThat(shares(Sampling.temperature(1).topP(1e-9), LOGITS, 100)[1])
                .isCloseTo(1, within(1e-9));
    }

    @Test
    void likelierComesFirstWhateverTheSign() {
        float[] logits = {-5, -1, Float.NEGATIVE_INFINITY, -1, -0.5f, -3};
        double[] three = shares(Sampling.temperature(1).topK(3).seed(2), logits, 3000);
        assertThat(three[4]).isGreaterThan(three[1]);
        assertThat(three[1]).isPositive();
        assertThat(three[3]).isPositive();
        assertThat(three[0] + three[2] + three[5]).isZero();
        double[] one = shares(Sampling.temperature(1).topK(2).seed(2), logits, 3000);
        assertThat(one[3]).as("of equals the smaller id is the likelier").isZero();
        double[] all = shares(Sampling.temperature(1).seed(2), logits, 3000);
        assertThat(all[2]).isZero();
        assertThat(all[5]).isPositive();
    }

    @Test
    void sameSeedSameTokens() {
        var a = new Sampler(Sampling.temperature(1).seed(5));
        var b = new Sampler(Sampling.temperature(1).seed(5));
        for (int i = 0; i < 50; i++) {
            assertThat(a.next(LOGITS)).isEqualTo(b.next(LOGITS));
        }
        assertThat(shares(Sampling.temperature(1).seed(6), LOGITS, 50))
                .isNotEqualTo(shares(Sampling.temperature(1).seed(5), LOGITS, 50));
    }

    @Test
    void repetitionIsPenalised() {
        var sampler = new Sampler(Sampling.greedy().repetitionPenalty(2));
        sampler.see(1);
        // 3 becomes 1.5; token 3 still has its 3, then it is 1.5 too and token 2 leads with 2.
        assertThat(sampler.next(LOGITS)).isEqualTo(3);
        assertThat(sampler.next(LOGITS)).isEqualTo(2);
        assertThat(LOGITS).containsExactly(1, 3, 2, 3, -1);
        var negative = new Sampler(Sampling.greedy().repetitionPenalty(3));
        negative.see(0);
        assertThat(negative.next(new float[] {-1, -2})).isEqualTo(1);
    }

    @Test
    void numbersOnly() {
        float[] broken = {Float.NaN, 1, Float.NaN};
        assertThat(new Sampler(Sampling.temperature(1)).next(broken)).isEqualTo(1);
        assertThatThrownBy(() -> new Sampler(Sampling.greedy()).next(new float[] {Float.NaN}))
                .hasMessageContaining("no logit is a number");
    }

    @Test
    void settingsAreChecked() {
        assertThatThrownBy(() -> Sampling.temperature(-1))
                .hasMessage("sampling: temperature out of range; got -1.0; expected 0 or more");
        assertThatThrownBy(() -> Sampling.greedy().topP(0)).hasMessageContaining("topP");
        assertThatThrownBy(() -> Sampling.greedy().topK(-1)).hasMessageContaining("topK");
        assertThatThrownBy(() -> Sampling.greedy().repetitionPenalty(0))
                .hasMessageContaining("repetitionPenalty");
    }
}
