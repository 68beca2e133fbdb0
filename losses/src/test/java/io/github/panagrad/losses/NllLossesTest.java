package io.github.panagrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.check.GradCheck;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class NllLossesTest {
    private static final Map<String, UnaryOperator<Tensor>> ALL = new LinkedHashMap<>();

    static {
        ALL.put("focal, 2", l -> NllLosses.focal(l, 2));
        ALL.put("focal, 0.5", l -> NllLosses.focal(l, 0.5));
        ALL.put("poly-1", l -> NllLosses.poly1(l, 1));
        ALL.put("generalised", l -> NllLosses.generalizedCrossEntropy(l, 0.7));
        ALL.put("truncated", l -> NllLosses.generalizedCrossEntropy(l, 0.7, 0.2));
        ALL.put("symmetric", l -> NllLosses.symmetricCrossEntropy(l, 0.1, 1, -4));
    }

    private static Tensor nll(double... probabilities) {
        double[] values = new double[probabilities.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = 0 - Math.log(probabilities[i]);
        }
        return Ops.tensor64(values, values.length);
    }

    /// The loss of a target of probability p.
    private static double at(double p, UnaryOperator<Tensor> loss) {
        return loss.apply(nll(p)).at(0);
    }

    /// Losses of rows of logits, a target a row.
    private static Tensor rowNll(Tensor logits, int... targets) {
        var options = CrossEntropyOptions.DEFAULT.reduction(Reduction.NONE);
        return Losses.crossEntropy(
                logits, Ops.indices(targets, targets.length).to(logits.device()), options);
    }

    @Test
    void haveTheValuesOfTheirDefinitions() {
        assertThat(at(0.9, l -> NllLosses.focal(l, 2))).isCloseTo(0.00105361, offset(1e-8));
        assertThat(at(0.1, l -> NllLosses.focal(l, 2))).isCloseTo(1.865094, offset(1e-6));
        assertThat(at(0.5, l -> NllLosses.focal(l, 0))).isCloseTo(0.693147, offset(1e-6));
        assertThat(at(0.6, l -> NllLosses.symmetricCrossEntropy(l, 0, 1, -4)))
                .isCloseTo(1.6, offset(1e-9));
        assertThat(at(0.6, l -> NllLosses.symmetricCrossEntropy(l, 0.1, 1, -4)))
                .isCloseTo(1.651083, offset(1e-6));
        assertThat(at(0.6, l -> NllLosses.symmetricCrossEntropy(l, 0.1, 1, -1)))
                .isCloseTo(0.451083, offset(1e-6));
        assertThat(at(0.6, l -> NllLosses.generalizedCrossEntropy(l, 0.7)))
                .isCloseTo(0.429474, offset(1e-6));
        assertThat(at(0.6, l -> NllLosses.generalizedCrossEntropy(l, 1)))
                .isCloseTo(0.4, offset(1e-9));
        assertThat(at(0.6, l -> NllLosses.generalizedCrossEntropy(l, 1e-6)))
                .isCloseTo(0.510825, offset(1e-6));
        assertThat(at(0.25, l -> NllLosses.poly1(l, 2))).isCloseTo(Math.log(4) + 1.5, offset(1e-9));
    }

    @Test
    void areThePlainLossWhereTheirParameterSaysSo() {
        Tensor plain = nll(0.01, 0.3, 0.6, 0.999, 1);
        assertThat(NllLosses.focal(plain, 0).toDoubles()).isEqualTo(plain.toDoubles());
        assertThat(NllLosses.poly1(plain, 0).toDoubles()).isEqualTo(plain.toDoubles());
        assertThat(NllLosses.generalizedCrossEntropy(plain, 0).toDoubles())
                .isEqualTo(plain.toDoubles());
        assertThat(NllLosses.generalizedCrossEntropy(plain, 1e-9).toDoubles())
                .containsExactly(plain.toDoubles(), within(1e-6));
        assertThat(NllLosses.perplexityWeights(plain, new int[5], 0, 1e-6, 8).toDoubles())
                .containsOnly(1.0);
    }

    @Test
    void haveTheRightGradients() {
        ALL.forEach((name, loss) -> {
            double error =
                    GradCheck.maxError(
                            x -> loss.apply(rowNll(x, 0, 2, 1)).sum(), Ops.randn(Rng.of(4), 3, 4));
            assertThat(error).as(name).isLessThan(1e-6);
        });
    }

    @Test
    void focalGradientIsThatOfItsFormula() {
        Tensor logits = Ops.tensor64(new double[] {1, 0, -1}, 1, 3).requireGrad();
        Tensor loss = NllLosses.focal(rowNll(logits, 0), 2).sum();
        assertThat(loss.backward().get(logits).toDoubles())
                .containsExactly(new double[] {-0.098288, 0.071854, 0.026434}, within(1e-6));
    }

    /// What makes them robust: a label drawn at random adds a constant.
    @Test
    void sumOverAllLabelsIsConstantForReverseAndAbsoluteError() {
        for (double[] row : new double[][] {{2, 1, 0, -1, -1, -2}, {0, 0, 5, 0, 0, 1}}) {
            double[] repeated = new double[36];
            for (int i = 0; i < 36; i++) {
                repeated[i] = row[i % 6];
            }
            Tensor each = rowNll(Ops.tensor64(repeated, 6, 6), 0, 1, 2, 3, 4, 5);
            assertThat(NllLosses.symmetricCrossEntropy(each, 0, 1, -4).sum().item())
                    .isCloseTo(20, offset(1e-9));
            assertThat(NllLosses.generalizedCrossEntropy(each, 1).sum().item())
                    .isCloseTo(5, offset(1e-9));
        }
    }

    /// Cross-entropy does not have it: the sum depends on the logits.
    @Test
    void sumOverAllLabelsOfCrossEntropyDependsOnTheLogits() {
        double[] row = {2, 1, 0, -1, -1, -2};
        double[] repeated = new double[36];
        for (int i = 0; i < 36; i++) {
            repeated[i] = row[i % 6];
        }
        Tensor each = rowNll(Ops.tensor64(repeated, 6, 6), 0, 1, 2, 3, 4, 5);
        assertThat(each.sum().item()).isCloseTo(15.898646, offset(1e-6));
        Tensor flat = rowNll(Ops.tensor64(new double[36], 6, 6), 0, 1, 2, 3, 4, 5);
        assertThat(flat.sum().item()).isCloseTo(6 * Math.log(6), offset(1e-9));
    }

    @Test
    void aShareOfCrossEntropyIsMixedIn() {
        Tensor nll = nll(0.6);
        Tensor mixed = nll.mul(0.4).add(NllLosses.generalizedCrossEntropy(nll, 0.7).mul(0.6));
        assertThat(mixed.at(0)).isCloseTo(0.462015, offset(1e-6));
        assertThat(nll.at(0)).isCloseTo(0.510826, offset(1e-6));
    }

    @Test
    void truncatedTargetsPullAtNothing() {
        Tensor nll = nll(0.1, 0.5).requireGrad();
        Tensor loss = NllLosses.generalizedCrossEntropy(nll, 0.7, 0.2);
        assertThat(loss.at(0)).isCloseTo((1 - Math.pow(0.2, 0.7)) / 0.7, offset(1e-9));
        double[] slope = loss.sum().backward().get(nll).toDoubles();
        assertThat(slope[0]).isZero();
        assertThat(slope[1]).isCloseTo(Math.pow(0.5, 0.7), offset(1e-9));
    }

    @Test
    void likelyTargetsKeepTheirDigits() {
        Tensor nll = Ops.tensor(new float[] {0, 1e-6f, 1e-3f}, 3);
        float[] miss = NllLosses.generalizedCrossEntropy(nll, 1).toFloats();
        assertThat(miss[0]).isZero();
        assertThat(miss[1] / 1e-6f).isCloseTo(1f, offset(2e-6f));
        assertThat(miss[2]).isCloseTo((float) -Math.expm1(-1e-3f), offset(1e-9f));
    }

    @Test
    void ignoredTargetsStayAtZero() {
        Tensor none = Ops.tensor(new float[] {0}, 1).requireGrad();
        ALL.forEach((name, loss) -> {
            Tensor value = loss.apply(none);
            assertThat(value.at(0)).as(name).isZero();
            assertThat(value.sum().backward().get(none).toFloats()[0]).as(name).isFinite();
        });
    }

    @Test
    void equalTheirSelvesOverAHeadThatNeverBuildsLogits() {
        Tensor hidden = Ops.randn(Rng.of(6), 6, 8).requireGrad();
        Tensor weight = Ops.randn(Rng.of(7), 37, 8).requireGrad();
        Tensor targets = Ops.indices(new int[] {3, -100, 0, 36, 3, -100}, 6);
        var options = CrossEntropyOptions.DEFAULT.reduction(Reduction.NONE);
        ALL.forEach((name, loss) -> {
            Tensor fused =
                    Losses.perToken(hidden, weight, targets, HeadOptions.DEFAULT, false, false)
                            .nll();
            Tensor plain = Losses.crossEntropy(Ops.linear(hidden, weight, null), targets, options);
            Tensor a = loss.apply(fused).sum();
            Tensor b = loss.apply(plain).sum();
            assertThat(a.item()).as(name).isCloseTo(b.item(), offset(1e-4));
            var x = a.backward();
            var y = b.backward();
            for (Tensor leaf : new Tensor[] {hidden, weight}) {
                assertThat(x.get(leaf).toFloats())
                        .as(name)
                        .containsExactly(y.get(leaf).toFloats(), within(1e-4f));
            }
        });
    }

    @Test
    void perplexityWeightsHaveTheValuesOfTheirFormula() {
        Tensor nll = Ops.tensor64(new double[] {0.1, 0.5, 2}, 3);
        int[] one = new int[3];
        double[] w = NllLosses.perplexityWeights(nll, one, 1, 0, 8).toDoubles();
        assertThat(w).containsExactly(new double[] {0.663439, 0.743823, 1.592738}, within(1e-6));
        assertThat((w[0] * 0.1 + w[1] * 0.5 + w[2] * 2) / 3).isCloseTo(1.207910, offset(1e-6));
        w = NllLosses.perplexityWeights(nll, one, 4, 0, 8).toDoubles();
        assertThat(w).containsExactly(new double[] {0.461503, 0.590116, 1.948381}, within(1e-6));
    }

    private static double weighted(double alpha) {
        Tensor nll = Ops.tensor64(new double[] {0.1, 0.5, 2}, 3);
        return NllLosses.perplexityWeights(nll, new int[3], alpha, 0, 8).mul(nll).mean().item();
    }

    @Test
    void perplexityWeightedMeansHaveTheValuesOfTheirFormula() {
        assertThat(weighted(1)).isCloseTo(1.207910, offset(1e-6));
        assertThat(weighted(4)).isCloseTo(1.412657, offset(1e-6));
        assertThat(weighted(0)).isCloseTo(0.866667, offset(1e-6));
    }

    @Test
    void perplexityWeightsHaveMeanOneAndKeepTheOrderOfTheirLosses() {
        double[] losses = Ops.randn(Rng.of(3), 40).square().mul(3).toDoubles();
        for (double alpha : new double[] {0.5, 1, 100}) {
            double[] w =
                    NllLosses.perplexityWeights(
                                    Ops.tensor64(losses.clone(), 40), new int[40], alpha, 1e-6, 50)
                            .toDoubles();
            double mean = 0;
            for (int i = 0; i < 40; i++) {
                mean += w[i] / 40;
                for (int j = 0; j < 40; j++) {
                    assertThat(w[i] > w[j]).isEqualTo(losses[i] > losses[j]);
                }
            }
            assertThat(mean).isCloseTo(1, offset(1e-12));
        }
        assertThat(
                        NllLosses.perplexityWeights(nll(0.3, 0.3, 0.3), new int[3], 2, 1e-6, 8)
                                .toDoubles())
                .containsExactly(new double[] {1, 1, 1}, within(1e-12));
        // Ever larger α: proportional to perplexity.
        double[] proportional =
                NllLosses.perplexityWeights(nll(1, 0.5, 0.25), new int[3], 1e9, 0, 8).toDoubles();
        assertThat(proportional)
                .containsExactly(new double[] {3 / 7.0, 6 / 7.0, 12 / 7.0}, within(1e-6));
        // A cut above what e^ℓ fits in a float.
        Tensor freak = Ops.tensor(new float[] {100, 0.1f}, 2);
        double[] freakWeights =
                NllLosses.perplexityWeights(freak, new int[2], 1, 1e-6, 200).toDoubles();
        assertThat(freakWeights).containsExactly(new double[] {1.5, 0.5}, within(1e-6));
    }

    @Test
    void perplexityWeightsScaleTheGradientOfEachToken() {
        double lambda = 0.7;
        int[] targets = {0, 2, -100, 3};
        int[] scope = {0, 0, -1, 0};
        Tensor logits = Ops.randn(Rng.of(5), 4, 4).to(DType.F64).requireGrad();
        Tensor nll = rowNll(logits, targets);
        double[] w = NllLosses.perplexityWeights(nll.detach(), scope, 1, 1e-6, 8).toDoubles();
        Tensor factors = Ops.tensor64(w.clone(), 4).mul(lambda).add(1);
        double[] gradient = nll.mul(factors).sum().div(3).backward().get(logits).toDoubles();
        double[] p = Ops.softmax(logits.detach(), -1).toDoubles();
        for (int i = 0; i < 4; i++) {
            for (int c = 0; c < 4; c++) {
                double expected =
                        targets[i] < 0
                                ? 0
                                : (1 + lambda * w[i])
                                        * (p[4 * i + c] - (c == targets[i] ? 1 : 0))
                                        / 3;
                assertThat(gradient[4 * i + c]).isCloseTo(expected, offset(1e-9));
            }
        }
        // The ignored token changes no other's weight.
        Tensor others = Ops.tensor64(new double[] {nll.at(0), nll.at(1), nll.at(3)}, 3);
        double[] alone = NllLosses.perplexityWeights(others, new int[3], 1, 1e-6, 8).toDoubles();
        assertThat(new double[] {w[0], w[1], w[3]}).isEqualTo(alone);
    }

    @Test
    void perplexityWeightsDependOnTheirScopeOnly() {
        Tensor both = Ops.tensor64(new double[] {0.1, 5, 0.5, 100, 2, 0}, 6);
        double[] w =
                NllLosses.perplexityWeights(both, new int[] {0, 1, 0, 1, 0, -1}, 1, 1e-6, 8)
                        .toDoubles();
        Tensor first = Ops.tensor64(new double[] {0.1, 0.5, 2}, 3);
        double[] alone =
                NllLosses.perplexityWeights(first, new int[] {7, 7, 7}, 1, 1e-6, 8).toDoubles();
        assertThat(new double[] {w[0], w[2], w[4]}).isEqualTo(alone);
        assertThat(w[1] + w[3]).isCloseTo(2, offset(1e-12));
        assertThat(w[3]).isGreaterThan(w[1]).isLessThan(2);
        assertThat(w[5]).isZero();
    }

    @Test
    void noGradientFlowsThroughPerplexityWeights() {
        Tensor nll = Ops.tensor64(new double[] {0.1, 0.5, 2}, 3).requireGrad();
        Tensor w = NllLosses.perplexityWeights(nll, new int[3], 1, 1e-6, 8);
        double[] slope = nll.mul(w).sum().backward().get(nll).toDoubles();
        assertThat(slope).isEqualTo(w.toDoubles());
    }

    @Test
    void classesWeighByTheirCounts() {
        assertThat(ClassWeights.balanced(30, 10).toFloats())
                .containsExactly(new float[] {2f / 3, 2}, within(1e-6f));
        assertThat(ClassWeights.effective(0, 30, 10).toFloats()).containsOnly(1f);
        assertThat(ClassWeights.effective(0.9, 1, 2).toFloats())
                .containsExactly(new float[] {1, 0.1f / 0.19f}, within(1e-6f));
        assertThatThrownBy(() -> ClassWeights.balanced(3, 0))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("0 of class 1");
    }

    @Test
    void sayWhatIsWrong() {
        Tensor nll = nll(0.5);
        assertThatThrownBy(() -> NllLosses.focal(nll, -1))
                .hasMessageContaining("gamma is out of range")
                .hasMessageContaining("at least 0");
        assertThatThrownBy(() -> NllLosses.generalizedCrossEntropy(nll, 1.5))
                .hasMessageContaining("0 to 1");
        assertThatThrownBy(() -> NllLosses.symmetricCrossEntropy(nll, 1, 1, 4))
                .hasMessageContaining("below 0");
        assertThatThrownBy(() -> NllLosses.perplexityWeights(nll, new int[2], 1, 0, 8))
                .hasMessageContaining("as many scopes as tokens");
    }
}
