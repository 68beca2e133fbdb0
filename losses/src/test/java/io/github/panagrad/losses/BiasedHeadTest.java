package io.github.panagrad.losses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.HeadFilter;
import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.TransformerOps.HeadLoss;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.Rng;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Heads with a bias: three tokens over four entries by hand, and against logits and cross-entropy.
class BiasedHeadTest {
    private static final double[] HIDDEN = {1, 0, 0, 2, 1, 1};
    private static final double[] WEIGHT = {2, 0, 0, 2, -2, 0, 0, -2};
    private static final int[] TARGETS = {0, 1, 3};

    static List<Device> devices() {
        return List.of(Device.REFERENCE, Device.CPU);
    }

    private static Tensor on(Device device, double[] values, int... dims) {
        DType type = device.equals(Device.REFERENCE) ? DType.F64 : DType.F32;
        return Ops.tensor64(values.clone(), dims).to(type).to(device).detach().requireGrad();
    }

    private record Head(Tensor hidden, Tensor weight, Tensor bias) {
        static Head byHand(Device device, double... bias) {
            return new Head(
                    on(device, HIDDEN, 3, 2), on(device, WEIGHT, 4, 2), on(device, bias, 4));
        }

        HeadLoss mean(HeadOptions options) {
            Tensor targets = Ops.indices(TARGETS.clone());
            return Losses.linearCrossEntropy(
                    hidden, weight, bias, targets, options, Reduction.MEAN);
        }
    }

    private static void close(Tensor actual, double... expected) {
        assertThat(actual.toDoubles()).containsExactly(expected, offset(2e-6));
    }

    @ParameterizedTest
    @MethodSource("devices")
    void equalTheComputationByHand(Device device) {
        Head head = Head.byHand(device, 0.5, -0.25, 1, 0);
        for (var options : List.of(HeadOptions.DEFAULT, HeadOptions.CUT, HeadOptions.COMPENSATED)) {
            HeadLoss out = head.mean(options);
            close(out.lse(), 2.662298, 3.848154, 2.914539);
            assertThat(out.loss().item()).isCloseTo(1.724997, offset(1e-6));
            assertThat(out.lse().square().mean().item()).isCloseTo(10.130219, offset(1e-5));
            Grads grads = out.loss().backward();
            close(grads.get(head.bias), 0.181994, 0.090975, 0.034525, -0.307494);
            close(
                    grads.get(head.hidden),
                    -0.116990,
                    -0.010291,
                    -0.015201,
                    -0.062588,
                    0.427130,
                    0.869818);
            close(
                    grads.get(head.weight),
                    0.170278,
                    0.243648,
                    0.122139,
                    0.041695,
                    0.015208,
                    0.045284,
                    -0.307624,
                    -0.330627);
        }
    }

    @ParameterizedTest
    @MethodSource("devices")
    void withoutItsBiasItIsTheHeadWithoutOne(Device device) {
        Head head = Head.byHand(device, 0, 0, 0, 0);
        HeadLoss out = head.mean(HeadOptions.DEFAULT);
        assertThat(out.loss().item()).isCloseTo(1.667151, offset(1e-6));
        close(out.loss().backward().get(head.bias), 0.094824, 0.186784, 0.013622, -0.295230);
    }

    /// The block that is dropped takes its part of the bias's gradient with it.
    @ParameterizedTest
    @MethodSource("devices")
    void theBiasIsFilteredAsTheWeightIs(Device device) {
        Head head = Head.byHand(device, 0, 0, 0, 0);
        var filter = HeadFilter.below(0.02).blocks(1, 2);
        HeadLoss out = head.mean(HeadOptions.DEFAULT.filter(filter));
        assertThat(out.dropped().item()).isCloseTo(0.007190, offset(1e-6));
        Grads grads = out.loss().backward();
        close(grads.get(head.bias), 0.094824, 0.186784, 0.007734, -0.295338);
        close(grads.get(head.hidden).narrow(0, 1, 1), 0.011775, -0.023766);
        Grads exact =
                head.mean(HeadOptions.DEFAULT.filter(filter.of(true, false))).loss().backward();
        close(exact.get(head.bias), 0.094824, 0.186784, 0.013622, -0.295230);
    }

    @Test
    void equalLogitsAndCrossEntropy() {
        Tensor hidden = Ops.randn(Rng.of(4), 2, 3, 8).requireGrad();
        Tensor weight = Ops.randn(Rng.of(5), 37, 8).requireGrad();
        Tensor bias = Ops.randn(Rng.of(6), 37).requireGrad();
        Tensor targets = Ops.indices(new int[] {3, -100, 0, 36, 3, -100}, 2, 3);
        Tensor logits = Ops.linear(hidden, weight, bias);
        Tensor plain = Losses.crossEntropy(logits, targets);
        Tensor cut =
                Losses.linearCrossEntropy(
                                hidden, weight, bias, targets, HeadOptions.DEFAULT, Reduction.MEAN)
                        .loss();
        var each = Losses.perToken(hidden, weight, bias, targets, HeadOptions.DEFAULT, true, true);
        Grads expected = plain.backward();
        for (Tensor loss : new Tensor[] {cut, each.nll().sum().div(4)}) {
            assertThat(loss.item()).isCloseTo(plain.item(), offset(1e-5));
            Grads found = loss.backward();
            for (Tensor leaf : new Tensor[] {hidden, weight, bias}) {
                assertThat(found.get(leaf).toDoubles())
                        .containsExactly(expected.get(leaf).toDoubles(), offset(1e-5));
            }
        }
        assertThat(each.argMax()).isNotNull();
        assertThat(each.argMax().toInts()[0])
                .isEqualTo(logits.argmax(-1, false).reshape(-1).toInts()[0]);
    }

    @Test
    void aFrozenPartGetsNoGradient() {
        Tensor hidden = Ops.randn(Rng.of(4), 3, 8);
        Tensor weight = Ops.randn(Rng.of(5), 9, 8);
        Tensor bias = Ops.randn(Rng.of(6), 9).requireGrad();
        Tensor targets = Ops.indices(new int[] {3, 0, 8});
        Grads grads =
                Losses.linearCrossEntropy(
                                hidden, weight, bias, targets, HeadOptions.DEFAULT, Reduction.SUM)
                        .loss()
                        .backward();
        assertThat(grads.size()).isEqualTo(1);
        assertThat(grads.get(bias).sum().item()).isCloseTo(0, offset(1e-6));
    }

    /// The copy is of another type than the weight: the threshold is still the weight's.
    @Test
    void theThresholdIsThatOfTheStoredWeight() {
        Tensor hidden = Ops.randn(Rng.of(1), 10, 8).add(2).detach().requireGrad();
        Tensor weight = Ops.randn(Rng.of(2), 300, 8).to(DType.BF16);
        Tensor bias = Ops.zeros(300);
        Tensor targets = Ops.indices(new int[10]);
        var auto = HeadOptions.DEFAULT.filter(HeadFilter.auto());
        double with =
                Losses.linearCrossEntropy(hidden, weight, bias, targets, auto, Reduction.SUM)
                        .dropped()
                        .item();
        double without =
                Losses.linearCrossEntropy(hidden, weight, targets, auto, Reduction.SUM)
                        .dropped()
                        .item();
        assertThat(with).isPositive().isCloseTo(without, offset(1e-5 * without));
    }

    @Test
    void saysWhatIsWrong() {
        Head head = Head.byHand(Device.CPU, 0, 0, 0, 0);
        Tensor short3 = Ops.zeros(3);
        assertThatThrownBy(() -> new Head(head.hidden, head.weight, short3).mean(HeadOptions.CUT))
                .hasMessageContaining("bias does not fit the weight")
                .hasMessageContaining("bias [4]");
    }
}
