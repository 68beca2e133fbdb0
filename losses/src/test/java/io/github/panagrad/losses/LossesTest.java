package io.github.panagrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.check.GradCheck;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.ground.Rng;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class LossesTest {
    private static final int[] TARGETS = {3, -100, 0, 4, 3, -100};

    private static Tensor targets() {
        return Ops.indices(TARGETS.clone(), TARGETS.length);
    }

    /// The definition, in plain double loops.
    private static double expected(
            double[] logits, int classes, double smoothing, double[] weights, Reduction reduction) {
        double sum = 0;
        double total = 0;
        for (int i = 0; i < TARGETS.length; i++) {
            if (TARGETS[i] == -100) {
                continue;
            }
            double z = 0;
            double mean = 0;
            for (int c = 0; c < classes; c++) {
                z += Math.exp(logits[i * classes + c]);
                mean += logits[i * classes + c] / classes;
            }
            double w = weights == null ? 1 : weights[TARGETS[i]];
            double target = logits[i * classes + TARGETS[i]];
            sum += w * (Math.log(z) - (1 - smoothing) * target - smoothing * mean);
            total += w;
        }
        return reduction == Reduction.MEAN ? sum / total : sum;
    }

    @Test
    void crossEntropyIsWhatItsDefinitionSays() {
        Tensor logits = Ops.randn(Rng.of(1), 6, 5);
        double[] z = logits.toDoubles();
        double[] classWeights = {1, 0.5, 2, 3, 0.25};
        assertThat(Losses.crossEntropy(logits, targets()).item())
                .isCloseTo(expected(z, 5, 0, null, Reduction.MEAN), offset(1e-6));
        for (Reduction reduction : new Reduction[] {Reduction.MEAN, Reduction.SUM}) {
            var options =
                    CrossEntropyOptions.DEFAULT
                            .labelSmoothing(0.1)
                            .classWeights(Ops.tensor(classWeights))
                            .reduction(reduction);
            assertThat(Losses.crossEntropy(logits, targets(), options).item())
                    .isCloseTo(expected(z, 5, 0.1, classWeights, reduction), offset(1e-5));
        }
    }

    @Test
    void unreducedLossesKeepTheTargetsShape() {
        Tensor logits = Ops.randn(Rng.of(2), 2, 3, 5);
        var options = CrossEntropyOptions.DEFAULT.reduction(Reduction.NONE);
        Tensor losses = Losses.crossEntropy(logits, targets().reshape(2, 3), options);
        assertThat(losses.shape().toArray()).containsExactly(2, 3);
        assertThat(losses.at(0, 1)).isZero();
        assertThat(losses.sum().item())
                .isCloseTo(expected(logits.toDoubles(), 5, 0, null, Reduction.SUM), offset(1e-5));
    }

    @Test
    void crossEntropyHasTheRightGradient() {
        UnaryOperator<Tensor> loss =
                x ->
                        Losses.crossEntropy(
                                x,
                                targets().to(Device.REFERENCE),
                                CrossEntropyOptions.DEFAULT.labelSmoothing(0.2));
        assertThat(GradCheck.maxError(loss, Ops.randn(Rng.of(3), 6, 5))).isLessThan(1e-6);
    }

    /// Smoothed targets are a distribution: its own logits cost its entropy and pull at nothing.
    @Test
    void smoothedTargetsAreMetExactly() {
        double e = 0.1;
        double rare = e / 4;
        double own = 1 - e + rare;
        double entropy = -own * Math.log(own) - 3 * rare * Math.log(rare);
        Tensor logits =
                Ops.tensor64(
                                new double[] {
                                    Math.log(rare), Math.log(own), Math.log(rare), Math.log(rare)
                                },
                                1,
                                4)
                        .requireGrad();
        Tensor target = Ops.indices(new int[] {1}, 1);
        var options = CrossEntropyOptions.DEFAULT.labelSmoothing(e);
        Tensor loss = Losses.crossEntropy(logits, target, options);
        assertThat(loss.item()).isCloseTo(entropy, offset(1e-9));
        for (double slope : loss.backward().get(logits).toDoubles()) {
            assertThat(slope).isCloseTo(0, offset(1e-9));
        }
        Tensor head = Ops.eye(4).requireGrad();
        Tensor hidden = logits.detach().to(DType.F32).requireGrad();
        Tensor fused =
                Losses.linearCrossEntropy(
                                hidden,
                                head,
                                target,
                                HeadOptions.DEFAULT.labelSmoothing(e),
                                Reduction.MEAN)
                        .loss();
        assertThat(fused.item()).isCloseTo(entropy, offset(1e-6));
        assertThat(fused.backward().get(hidden).abs().max().item()).isLessThan(1e-6);
        // A certain answer is not the best one any more.
        Tensor sure = Ops.tensor64(new double[] {0, 100, 0, 0}, 1, 4);
        assertThat(Losses.crossEntropy(sure, target, options).item())
                .isCloseTo(3 * rare * 100, offset(1e-9));
    }

    @Test
    void theFusedHeadEqualsLogitsAndCrossEntropy() {
        Tensor hidden = Ops.randn(Rng.of(4), 2, 3, 8).requireGrad();
        Tensor weight = Ops.randn(Rng.of(5), 37, 8).requireGrad();
        Tensor targets = targets().reshape(2, 3);
        Tensor fused = Losses.linearCrossEntropy(hidden, weight, targets);
        Tensor plain = Losses.crossEntropy(Ops.linear(hidden, weight, null), targets);
        assertThat(fused.item()).isCloseTo(plain.item(), offset(1e-5));
        var a = fused.backward();
        var b = plain.backward();
        for (Tensor leaf : new Tensor[] {hidden, weight}) {
            float[] x = a.get(leaf).toFloats();
            float[] y = b.get(leaf).toFloats();
            for (int i = 0; i < x.length; i++) {
                assertThat((double) x[i]).isCloseTo(y[i], offset(1e-5));
            }
        }
    }

    @Test
    void sequenceLossesArePlainFunctionsOfTokenLosses() {
        Tensor hidden = Ops.randn(Rng.of(6), 6, 8).requireGrad();
        Tensor weight = Ops.randn(Rng.of(7), 37, 8).requireGrad();
        var tokens = Losses.perToken(hidden, weight, targets(), HeadOptions.DEFAULT, true, true);
        Tensor factors = Ops.tensor(new float[] {1, 2, 3, -1, 0.5f, 7});
        var direct =
                Losses.linearCrossEntropy(hidden, weight, targets(), factors, HeadOptions.DEFAULT);
        Tensor sum = tokens.nll().mul(factors).sum();
        assertThat(sum.item()).isCloseTo(direct.loss().item(), offset(1e-4));
        assertThat(tokens.argMax().toInts()[1]).isEqualTo(-1);
        assertThat(tokens.entropy().toFloats()[0]).isBetween(0f, (float) Math.log(37));
        float[] x = sum.backward().get(hidden).toFloats();
        float[] y = direct.loss().backward().get(hidden).toFloats();
        for (int i = 0; i < x.length; i++) {
            assertThat((double) x[i]).isCloseTo(y[i], offset(1e-4));
        }
    }

    @Test
    void aFrozenHeadGetsNoGradientNorDoFrozenStates() {
        Tensor hidden = Ops.randn(Rng.of(8), 6, 8);
        Tensor weight = Ops.randn(Rng.of(9), 37, 8);
        for (boolean trainsHead : new boolean[] {false, true}) {
            Tensor h = trainsHead ? hidden : hidden.detach().requireGrad();
            Tensor w = trainsHead ? weight.detach().requireGrad() : weight;
            var grads = Losses.linearCrossEntropy(h, w, targets()).backward();
            assertThat(grads.size()).isEqualTo(1);
            assertThat(grads.find(trainsHead ? h : w)).isEmpty();
        }
    }

    @Test
    void withoutAValidTokenLossAndGradientsAreZero() {
        Tensor hidden = Ops.randn(Rng.of(12), 2, 4).requireGrad();
        Tensor weight = Ops.randn(Rng.of(13), 5, 4).requireGrad();
        Tensor none = Ops.indices(new int[] {-100, -100});
        for (Tensor loss :
                new Tensor[] {
                    Losses.linearCrossEntropy(hidden, weight, none),
                    Losses.linearCrossEntropy(hidden, weight, none, HeadOptions.CUT, Reduction.MEAN)
                            .loss(),
                    Losses.crossEntropy(Ops.linear(hidden, weight, null), none)
                }) {
            assertThat(loss.item()).isZero();
            var grads = loss.backward();
            assertThat(grads.get(hidden).toFloats()).containsOnly(0f);
            assertThat(grads.get(weight).toFloats()).containsOnly(0f);
        }
    }

    @Test
    void shiftedTargetsEqualSlicedStates() {
        Tensor hidden = Ops.randn(Rng.of(14), 2, 6, 8).requireGrad();
        Tensor weight = Ops.randn(Rng.of(15), 37, 8).requireGrad();
        int[] ids = new int[12];
        java.util.Arrays.setAll(ids, i -> i * 7 % 37);
        Tensor targets = Ops.indices(ids, 2, 6);
        for (int by : new int[] {0, 1, 2}) {
            Tensor whole =
                    Losses.linearCrossEntropy(hidden, weight, Losses.shifted(targets, by, -100));
            Tensor sliced =
                    Losses.linearCrossEntropy(
                            hidden.narrow(1, 0, 6 - by),
                            weight,
                            targets.narrow(1, by, 6 - by).contiguous());
            assertThat(whole.item()).isEqualTo(sliced.item());
            var a = whole.backward();
            var b = sliced.backward();
            assertThat(a.get(hidden).toFloats()).isEqualTo(b.get(hidden).toFloats());
            assertThat(a.get(weight).toFloats()).isEqualTo(b.get(weight).toFloats());
        }
    }

    @Test
    void tokenLossesAreZeroWhereIgnored() {
        Tensor hidden = Ops.randn(Rng.of(16), 6, 8);
        Tensor weight = Ops.randn(Rng.of(17), 37, 8);
        var summed =
                Losses.linearCrossEntropy(
                        hidden, weight, targets(), HeadOptions.CUT, Reduction.SUM);
        var each = Losses.perToken(hidden, weight, targets(), HeadOptions.DEFAULT, false, false);
        for (int i = 0; i < TARGETS.length; i++) {
            boolean ignored = TARGETS[i] == -100;
            assertThat(summed.nll().at(i) == 0).isEqualTo(ignored);
            assertThat(summed.lse().at(i) == 0).isEqualTo(ignored);
            assertThat(each.nll().at(i)).isCloseTo(summed.nll().at(i), offset(1e-6));
            assertThat(each.lse().at(i)).isCloseTo(summed.lse().at(i), offset(1e-6));
        }
    }

    /// The logits would be 2.1 GB; the issue of a large vocabulary is that they are never there.
    @Test
    void aHugeVocabularyNeedsLittleMemory() {
        int tokens = 4096;
        int width = 288;
        int vocabulary = 128_256;
        Tensor hidden = Ops.rand(Rng.of(10), tokens, width).requireGrad();
        Tensor weight =
                Ops.rand(Rng.of(11), vocabulary, width).affine(0.02, -0.01).detach().requireGrad();
        int[] ids = new int[tokens];
        java.util.Arrays.setAll(ids, i -> i * 31 % vocabulary);
        Pool.floats().trim();
        long before = Pool.floats().freshBytes();
        double loss =
                Ops.scope(() -> {
                    Tensor l = Losses.linearCrossEntropy(hidden, weight, Ops.indices(ids, tokens));
                    var grads = l.backward();
                    assertThat(grads.size()).isEqualTo(2);
                    return l.item();
                });
        long used = Pool.floats().freshBytes() - before;
        long gradients = 4L * width * (tokens + vocabulary);
        // The pool rounds each array up by at most an eighth.
        assertThat(used - gradients * 9 / 8).isLessThan(64L << 20);
        assertThat(loss).isCloseTo(Math.log(vocabulary), offset(0.2));
    }

    @Test
    void saysWhatIsWrong() {
        Tensor hidden = Ops.randn(Rng.of(1), 2, 4);
        Tensor weight = Ops.randn(Rng.of(2), 5, 4);
        assertThatThrownBy(() ->
                        Losses.linearCrossEntropy(hidden, weight, Ops.indices(new int[] {1, 5})))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("5 at position 1")
                .hasMessageContaining("0 to 4");
        assertThatThrownBy(() -> Losses.crossEntropy(weight, Ops.indices(new int[] {1, 2})))
                .hasMessageContaining("do not fit");
        assertThatThrownBy(() -> HeadOptions.DEFAULT.labelSmoothing(1))
                .hasMessageContaining("0 to below 1");
    }
}
