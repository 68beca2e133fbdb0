package io.github.panagrad.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.examples.demo.Verdict.Answer;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VerdictTest {
    private static final double[] PLAIN = {1, 2, 3};

    @Test
    void pairsMakeAnIntervalOfStudentsT() {
        // Gains 1, 2 and 3: mean 2, deviation 1, and 4.303·1/√3 on both sides.
        Verdict verdict = Verdict.of(PLAIN, new double[] {2, 4, 6}, true, 0);

        assertThat(verdict.gain().value()).isEqualTo(2);
        assertThat(verdict.gain().low()).isCloseTo(2 - 2.48434, within(1e-4));
        assertThat(verdict.gain().high()).isCloseTo(2 + 2.48434, within(1e-4));
        assertThat(verdict.answer()).isEqualTo(Answer.NOT_SHOWN);
        assertThat(verdict.toString())
                .isEqualTo("not shown at this scale: gain 2.000, interval -0.484 to 4.484");
    }

    @Test
    void pairingTakesOutWhatSeedsHaveInCommon() {
        // Gains 0.8, 1 and 1.2, though the arms' figures overlap.
        double[] arm = {1.8, 3, 4.2};

        assertThat(Verdict.of(PLAIN, arm, true, 0).answer()).isEqualTo(Answer.SHOWN);
        assertThat(Verdict.of(PLAIN, arm, false, 0).answer()).isEqualTo(Answer.CONTRARY);
        assertThat(Verdict.of(PLAIN, arm, true, 0.6).answer()).isEqualTo(Answer.NOT_SHOWN);
    }

    @Test
    void lessWorseThanAMarginIsShown() {
        double[] arm = {0.99, 1.98, 2.99};

        assertThat(Verdict.of(PLAIN, arm, true, -0.05).answer()).isEqualTo(Answer.SHOWN);
        assertThat(Verdict.of(PLAIN, arm, true, -0.01).answer()).isEqualTo(Answer.NOT_SHOWN);
    }

    @Test
    void equalArmsAndSingleRunsShowNothing() {
        assertThat(Verdict.of(PLAIN, PLAIN, true, 0).answer()).isEqualTo(Answer.NOT_SHOWN);
        Verdict single = Verdict.of(new double[] {1}, new double[] {9}, true, 0);
        assertThat(single.answer()).isEqualTo(Answer.NOT_SHOWN);
        assertThat(single.toString()).endsWith("gain 8.000 in a single run");
    }

    @Test
    void armsHaveToPairUp() {
        assertThatThrownBy(() -> Verdict.of(PLAIN, new double[] {1}, true, 0))
                .hasMessageContaining("pair up");
    }

    @Test
    void claimsLookTheirFiguresUp() {
        var outcome =
                new Outcome(
                        "some",
                        3,
                        Map.of(
                                "arm", Map.of("loss", new double[] {1, 2, 3}),
                                "other", Map.of("loss", new double[] {2, 3.1, 4})));

        Claim claim = Claim.lower("arm", "loss", "text").against("other");
        assertThat(claim.verdict(outcome).answer()).isEqualTo(Answer.SHOWN);
        assertThat(claim.verdict(outcome).gain().value()).isBetween(1.033, 1.034);
        assertThatThrownBy(() -> Claim.lower("arm", "none", "text").verdict(outcome))
                .hasMessageContaining("run it again");
    }
}
