package io.github.panagrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.check.GradCheck;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class PreferenceLossesTest {
    private static final double BETA = 0.3;
    private static final double[] CHOSEN = {-2.5, -0.7, -9};
    private static final double[] REJECTED = {-3, -0.2, -8.5};
    private static final double[] REF_CHOSEN = {-2, -1, -9.5};
    private static final double[] REF_REJECTED = {-2.8, -1.2, -7};

    /// Each as a function of the two log-probabilities that learn.
    private static final Map<String, Function<Tensor[], Tensor>> ALL = new LinkedHashMap<>();

    static {
        ALL.put("dpo", p -> dpo(p[0], p[1], 0));
        ALL.put("dpo, smoothed", p -> dpo(p[0], p[1], 0.1));
        ALL.put(
                "ipo",
                p -> PreferenceLosses.ipo(p[0], p[1], on(REF_CHOSEN), on(REF_REJECTED), 0.2));
        ALL.put("simPo", p -> PreferenceLosses.simPo(p[0], p[1], 2, 0.5));
        ALL.put("oddsRatio", p -> PreferenceLosses.oddsRatio(p[0], p[1]));
        ALL.put("kto", p -> kto(p[0]).add(kto(p[1])));
        ALL.put(
                "surrogate",
                p ->
                        PolicyLosses.clippedSurrogate(
                                        p[0], on(REF_CHOSEN), on(1, -2, 0.5), 0.2, 0.3)
                                .add(p[1].mul(0.1)));
        ALL.put(
                "divergence",
                p -> PolicyLosses.divergence(p[0], on(REF_CHOSEN)).add(p[1].mul(0.1)));
    }

    private static Tensor on(double... values) {
        return Ops.tensor64(values, values.length).to(Device.REFERENCE);
    }

    private static Tensor dpo(Tensor chosen, Tensor rejected, double smoothing) {
        return PreferenceLosses.dpo(
                chosen, rejected, on(REF_CHOSEN), on(REF_REJECTED), BETA, smoothing);
    }

    private static Tensor kto(Tensor policy) {
        boolean[] good = {true, false, true};
        return PreferenceLosses.kto(policy, on(REF_CHOSEN), good, 0.25, BETA, 1, 1.3);
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    private static double logOdds(double logProbability) {
        return logProbability - Math.log(1 - Math.exp(logProbability));
    }

    @Test
    void haveTheValuesOfTheirDefinitions() {
        for (int i = 0; i < CHOSEN.length; i++) {
            double margin = CHOSEN[i] - REJECTED[i] - (REF_CHOSEN[i] - REF_REJECTED[i]);
            double right = -Math.log(sigmoid(BETA * margin));
            double wrong = -Math.log(sigmoid(-BETA * margin));
            Tensor[] in = {on(CHOSEN), on(REJECTED)};
            assertThat(ALL.get("dpo").apply(in).at(i)).isCloseTo(right, offset(1e-9));
            assertThat(ALL.get("dpo, smoothed").apply(in).at(i))
                    .isCloseTo(0.9 * right + 0.1 * wrong, offset(1e-9));
            assertThat(ALL.get("ipo").apply(in).at(i))
                    .isCloseTo(Math.pow(margin - 2.5, 2), offset(1e-9));
            assertThat(ALL.get("simPo").apply(in).at(i))
                    .isCloseTo(
                            -Math.log(sigmoid(2 * (CHOSEN[i] - REJECTED[i]) - 0.5)), offset(1e-9));
            assertThat(ALL.get("oddsRatio").apply(in).at(i))
                    .isCloseTo(
                            -Math.log(sigmoid(logOdds(CHOSEN[i]) - logOdds(REJECTED[i]))),
                            offset(1e-9));
            double gain = CHOSEN[i] - REF_CHOSEN[i] - 0.25;
            assertThat(kto(on(CHOSEN)).at(i))
                    .isCloseTo(
                            i == 1 ? 1.3 * (1 - sigmoid(-BETA * gain)) : 1 - sigmoid(BETA * gain),
                            offset(1e-9));
            double d = REF_CHOSEN[i] - CHOSEN[i];
            assertThat(PolicyLosses.divergence(on(CHOSEN), on(REF_CHOSEN)).at(i))
                    .isCloseTo(Math.exp(d) - d - 1, offset(1e-9));
        }
    }

    @Test
    void surrogateStopsWhereTheRatioHasMovedFarEnough() {
        // ratios 1.5 and 0.5, each with a gain and a loss
        Tensor now = on(Math.log(1.5), Math.log(1.5), Math.log(0.5), Math.log(0.5));
        Tensor loss =
                PolicyLosses.clippedSurrogate(now, on(0, 0, 0, 0), on(1, -1, 1, -1), 0.2, 0.3);

        assertThat(loss.toDoubles())
                .containsExactly(new double[] {-1.3, 1.5, -0.5, 0.8}, offset(1e-9));
    }

    @Test
    void haveTheGradientsOfTheirValues() {
        ALL.forEach((name, loss) -> {
            double error =
                    GradCheck.maxError(
                            in -> new Tensor[] {loss.apply(in)},
                            new Tensor[] {on(CHOSEN), on(REJECTED)},
                            new boolean[] {true, true});
            assertThat(error).as(name).isLessThan(1e-6);
        });
    }

    private static double slope(Function<Tensor, Tensor> loss, double at) {
        Tensor x = on(at).requireGrad();
        return loss.apply(x).sum().backward().get(x).at(0);
    }

    /// Of each in the log-probability of the chosen answer.
    @Test
    void haveTheSlopesOfTheirPapers() {
        Tensor zero = on(0);
        for (double margin : new double[] {-3, 0, 0.7, 40}) {
            // DPO, section 4: −β·σ(−β·Δ), so that pairs in the wrong order count most.
            assertThat(slope(x -> PreferenceLosses.dpo(x, zero, zero, zero, 0.3, 0), margin))
                    .isCloseTo(-0.3 * sigmoid(-0.3 * margin), offset(1e-9));
            assertThat(slope(x -> PreferenceLosses.ipo(x, zero, zero, zero, 0.25), margin))
                    .isCloseTo(2 * (margin - 2), offset(1e-9));
            assertThat(slope(x -> PreferenceLosses.simPo(x, zero, 2, 0.5), margin))
                    .isCloseTo(-2 * sigmoid(0.5 - 2 * margin), offset(1e-9));
            double gain = sigmoid(0.3 * margin);
            assertThat(
                            slope(
                                    x ->
                                            PreferenceLosses.kto(
                                                    x, zero, new boolean[] {true}, 0, 0.3, 2, 1),
                                    margin))
                    .isCloseTo(-2 * 0.3 * gain * (1 - gain), offset(1e-9));
        }
        // ORPO, eq. 8 to 10: δ·h, with δ = 1/(1 + odds c / odds r) and h = 1/(1 − p).
        double chosen = Math.log(0.4);
        double odds = (0.4 / 0.6) / (0.2 / 0.8);
        assertThat(slope(x -> PreferenceLosses.oddsRatio(x, on(Math.log(0.2))), chosen))
                .isCloseTo(-1 / (1 + odds) / 0.6, offset(1e-9));
    }

    @Test
    void haveTheirLimits() {
        Tensor same = on(-4);
        Tensor far = on(500);
        assertThat(dpoOf(same, same)).isCloseTo(Math.log(2), offset(1e-12));
        assertThat(dpoOf(far, same)).isCloseTo(0, offset(1e-12));
        assertThat(dpoOf(same, far)).isCloseTo(0.3 * 504, offset(1e-9));
        // IPO is content with its margin; DPO never is.
        assertThat(PreferenceLosses.ipo(on(5), on(0), on(0), on(0), 0.1).at(0)).isZero();
        assertThat(PreferenceLosses.ipo(on(9), on(0), on(0), on(0), 0.1).at(0)).isEqualTo(16);
        assertThat(PreferenceLosses.simPo(same, same, 2, 0).at(0))
                .isCloseTo(Math.log(2), offset(1e-12));
        assertThat(PreferenceLosses.oddsRatio(same, same).at(0))
                .isCloseTo(Math.log(2), offset(1e-12));
        // Sure answers stay finite.
        assertThat(PreferenceLosses.oddsRatio(on(0), on(-700)).at(0)).isCloseTo(0, offset(1e-6));
        assertThat(PreferenceLosses.oddsRatio(on(-700), on(0)).at(0)).isBetween(700.0, 720.0);
        // KTO saturates on both sides.
        boolean[] marks = {true, false};
        assertThat(PreferenceLosses.kto(on(900, 900), on(0, 0), marks, 0, 0.1, 1, 3).toDoubles())
                .containsExactly(new double[] {0, 3}, offset(1e-12));
        assertThat(PreferenceLosses.kto(on(0, 0), on(0, 0), marks, 0, 0.1, 1, 3).toDoubles())
                .containsExactly(new double[] {0.5, 1.5}, offset(1e-12));
    }

    private static double dpoOf(Tensor chosen, Tensor rejected) {
        return PreferenceLosses.dpo(chosen, rejected, on(0), on(0), 0.3, 0).at(0);
    }

    /// PPO, section 3: beyond the bounds a sample pulls only if that leads back.
    @Test
    void clippedSamplesPullAtNothing() {
        Tensor now =
                on(Math.log(1.5), Math.log(1.5), Math.log(0.5), Math.log(0.5), 0).requireGrad();
        Tensor loss =
                PolicyLosses.clippedSurrogate(
                        now, on(0, 0, 0, 0, 0), on(1, -1, 1, -1, 2), 0.2, 0.3);
        assertThat(loss.sum().backward().get(now).toDoubles())
                .containsExactly(new double[] {0, 1.5, -0.5, 0, -2}, offset(1e-9));
    }

    /// Its mean over all outcomes, each as often as the policy draws it, is the divergence.
    @Test
    void divergenceIsUnbiasedAndNeverNegative() {
        double[] p = {0.5, 0.3, 0.2};
        double[] q = {0.2, 0.2, 0.6};
        double mean = 0;
        double exact = 0;
        for (int i = 0; i < 3; i++) {
            double each = PolicyLosses.divergence(on(Math.log(p[i])), on(Math.log(q[i]))).at(0);
            assertThat(each).isPositive();
            mean += p[i] * each;
            exact += p[i] * Math.log(p[i] / q[i]);
        }
        assertThat(mean).isCloseTo(exact, offset(1e-12));
        Tensor same = on(-1.3).requireGrad();
        Tensor none = PolicyLosses.divergence(same, on(-1.3));
        assertThat(none.at(0)).isZero();
        assertThat(none.sum().backward().get(same).at(0)).isZero();
    }

    @Test
    void losesWhereTheRejectedAnswerIsLikelier() {
        for (String name : new String[] {"dpo", "simPo", "oddsRatio"}) {
            Function<Tensor[], Tensor> loss = ALL.get(name);
            double better = loss.apply(new Tensor[] {on(-1, -1, -1), on(-4, -4, -4)}).mean().item();
            double worse = loss.apply(new Tensor[] {on(-4, -4, -4), on(-1, -1, -1)}).mean().item();
            assertThat(better).as(name).isLessThan(worse);
        }
    }

    @Test
    void sequencesHaveTheSumsAndMeansOfTheirTokens() {
        Tensor nll = Ops.tensor64(new double[] {1, 2, 4, 8, 16}, 5);
        int[] sequences = {0, -1, 1, 1, 0};

        assertThat(SequenceLogProbability.of(nll, sequences, 2, Reduction.SUM).toDoubles())
                .containsExactly(-17, -12);
        assertThat(SequenceLogProbability.of(nll, sequences, 2, Reduction.MEAN).toDoubles())
                .containsExactly(-8.5, -6);
        assertThatThrownBy(() -> SequenceLogProbability.of(nll, sequences, 3, Reduction.MEAN))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("no token counts in sequence 2");
        assertThatThrownBy(() -> SequenceLogProbability.of(nll, sequences, 1, Reduction.SUM))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("no such sequence");
    }

    @Test
    void reachTheHeadThroughItsTokenLosses() {
        Tensor hidden = Ops.randn(6, 8).requireGrad();
        Tensor head = Ops.randn(20, 8).requireGrad();
        Tensor targets = Ops.indices(new int[] {1, 2, 3, 4, 5, 6}, 6);
        Tensor nll =
                Losses.perToken(hidden, head, targets, HeadOptions.DEFAULT, false, false).nll();
        Tensor pair =
                SequenceLogProbability.of(nll, new int[] {0, 0, 0, 1, 1, 1}, 2, Reduction.SUM);
        Tensor constant = Ops.zeros(1);
        var grads =
                PreferenceLosses.dpo(
                                pair.narrow(0, 0, 1),
                                pair.narrow(0, 1, 1),
                                constant,
                                constant,
                                0.1,
                                0)
                        .sum()
                        .backward();

        for (Tensor leaf : new Tensor[] {hidden, head}) {
            double[] gradient = grads.get(leaf).toDoubles();
            assertThat(Arrays.stream(gradient).allMatch(Double::isFinite)).isTrue();
            assertThat(Arrays.stream(gradient).anyMatch(g -> g != 0)).isTrue();
        }
    }

    @Test
    void refuseWhatMakesNoSense() {
        assertThatThrownBy(() -> dpo(on(1, 2), on(1, 2, 3), 0))
                .hasMessageContaining("log-probabilities do not fit");
        assertThatThrownBy(() -> dpo(on(CHOSEN), on(REJECTED), 0.5))
                .hasMessageContaining("smoothing");
        assertThatThrownBy(() -> PolicyLosses.clippedSurrogate(on(1), on(1), on(1), 2, 0))
                .hasMessageContaining("out of range");
    }
}
