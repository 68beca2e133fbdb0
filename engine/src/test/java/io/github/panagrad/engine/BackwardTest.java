package io.github.panagrad.engine;

import static io.github.panagrad.engine.Ops.grad;
import static io.github.panagrad.engine.Ops.jvp;
import static io.github.panagrad.engine.Ops.noGrad;
import static io.github.panagrad.engine.Ops.ones;
import static io.github.panagrad.engine.Ops.parameter;
import static io.github.panagrad.engine.Ops.randn;
import static io.github.panagrad.engine.Ops.rmsNorm;
import static io.github.panagrad.engine.Ops.silu;
import static io.github.panagrad.engine.Ops.softmax;
import static io.github.panagrad.engine.Ops.tensor;
import static io.github.panagrad.engine.Ops.tensor64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class BackwardTest {
    private final Rng rng = Rng.of(8);

    @Test
    void sharedSubExpressionsAddUp() {
        Tensor x = tensor(3).requireGrad();
        Tensor square = x.mul(x);
        Tensor y = square.mul(square).add(square).add(x);
        assertThat(y.backward().get(x).item()).isEqualTo(4 * 27 + 6 + 1);
    }

    @Test
    void aTensorPlusItself() {
        Tensor x = tensor(3, 4).requireGrad();
        assertThat(x.add(x).sum().backward().get(x).toFloats()).containsExactly(2, 2);
    }

    @Test
    void tiedEmbeddingsGetTheBitsOfTwoGradientsAdded() {
        Tensor values = randn(rng, 50, 24);
        Tensor ids = Ops.indices(new int[] {7, 3, 7, 49, 0, 7}, 6);
        Tensor dy = randn(rng, 6, 50);
        Tensor tied = values.requireGrad();
        Tensor rows = values.requireGrad();
        Tensor head = values.requireGrad();
        Tensor one = Ops.embedding(tied, ids).matmul(tied.transpose()).backward(dy).get(tied);
        Grads two = Ops.embedding(rows, ids).matmul(head.transpose()).backward(dy);
        assertThat(one.toFloats()).isEqualTo(two.get(head).add(two.get(rows)).toFloats());
    }

    @Test
    void viewsOfOneLeaf() {
        Tensor x = tensor(1, 2, 3, 4).requireGrad();
        Tensor y = x.narrow(0, 0, 2).mul(x.narrow(0, 2, 2)).sum().add(x.sum());
        assertThat(y.backward().get(x).toFloats()).containsExactly(4, 5, 2, 3);
    }

    @Test
    void leavesThatDoNotMatterHaveNoGradient() {
        Tensor x = ones(2).requireGrad();
        Tensor y = ones(2).requireGrad();
        Grads grads = x.mul(2).sum().backward();
        assertThat(grads.find(y)).isEmpty();
        assertThat(grads.size()).isEqualTo(1);
    }

    @Test
    void depthIsNoLimit() {
        Tensor x = tensor(1).requireGrad();
        Tensor y = x;
        for (int i = 0; i < 20_000; i++) {
            y = y.add(0.5);
        }
        assertThat(y.backward().get(x).item()).isEqualTo(1);
    }

    @Test
    void aSecondBackwardSaysWhatToDo() {
        Tensor x = ones(2).requireGrad();
        Tensor loss = silu(x.mul(2)).sum();
        loss.backward();
        assertThatThrownBy(loss::backward)
                .isInstanceOf(PanagradException.class)
                .hasMessage(
                        "backward: the graph was already consumed at silu; compute the loss again, or"
                                + " use grad(…, createGraph)");
    }

    @Test
    void changingAParameterInBetweenIsAnError() {
        Parameter w = parameter("w", ones(2));
        Tensor loss = silu(w.mul(w)).sum();
        w.assign(ones(2).mul(3));
        assertThatThrownBy(loss::backward)
                .isInstanceOf(PanagradException.class)
                .hasMessage(
                        "mul: parameter w was changed between forward and backward; got version 1;"
                                + " expected version 0; step the optimizer after backward");
    }

    @Test
    void changingAParameterThatIsNotReadAgainIsFine() {
        Parameter w = parameter("w", ones(2));
        Tensor loss = w.add(1).sum();
        w.assign(ones(2).mul(3));
        assertThat(loss.backward().get(w).toFloats()).containsExactly(1, 1);
    }

    @Test
    void frozenParametersAreConstants() {
        Parameter w = parameter("w", ones(2)).trainable(false);
        Tensor x = ones(2).requireGrad();
        Grads grads = w.mul(x).sum().backward();
        assertThat(grads.find(w)).isEmpty();
        assertThat(grads.get(x).toFloats()).containsExactly(1, 1);
        assertThat(w.mul(2).requiresGrad()).isFalse();
        assertThat(w.trainable(true).mul(2).requiresGrad()).isTrue();
    }

    @Test
    void noGradRecordsNothing() {
        Tensor x = ones(2).requireGrad();
        Tensor y = noGrad(() -> silu(x).mul(2));
        assertThat(y.requiresGrad()).isFalse();
        assertThat(silu(x).requiresGrad()).as("afterwards it records again").isTrue();
    }

    @Test
    void detachedTensorsAreConstants() {
        Tensor x = tensor(3).requireGrad();
        Tensor y = x.mul(x.detach());
        assertThat(y.backward().get(x).item()).isEqualTo(3);
        assertThat(x.detach().storage()).isSameAs(x.storage());
    }

    @Test
    void gradientsOfIntermediates() {
        Tensor x = tensor(2).requireGrad();
        Tensor square = x.mul(x);
        Tensor y = square.mul(square).add(x);
        List<Tensor> grads = grad(y, List.of(square, x), false);
        assertThat(grads.get(0).item()).isEqualTo(8);
        assertThat(grads.get(1).item()).isEqualTo(33);
    }

    @Test
    void gradientsOfWhatDoesNotMatterAreZeros() {
        Tensor x = tensor(2).requireGrad();
        Tensor z = ones(2, 3).requireGrad();
        assertThat(grad(x.mul(x), List.of(z, x), false).get(0).toFloats())
                .containsOnly(0)
                .hasSize(6);
        assertThat(grad(x, List.of(x), false).getFirst().item()).isEqualTo(1);
    }

    @Test
    void vectorJacobianProducts() {
        Tensor x = tensor(1, 2).requireGrad();
        Tensor y = x.mul(x);
        assertThat(grad(y, tensor(10, 100), List.of(x), false).getFirst().toFloats())
                .containsExactly(20, 400);
        assertThatThrownBy(() -> grad(x.mul(x), tensor(1), List.of(x), false))
                .hasMessageContaining("backward: the gradient has another shape");
    }

    @Test
    void gradientsOfGradients() {
        Tensor x = tensor64(new double[] {2}).requireGrad();
        Tensor y = x.mul(x).mul(x);
        Tensor first = grad(y, List.of(x), true).getFirst();
        Tensor second = grad(first, List.of(x), true).getFirst();
        Tensor third = grad(second, List.of(x), false).getFirst();
        assertThat(List.of(first.item(), second.item(), third.item()))
                .containsExactly(12.0, 12.0, 6.0);
    }

    @Test
    void powersAtZero() {
        for (double p : new double[] {0, 1, 2, 3}) {
            Tensor x = tensor64(new double[] {0}).requireGrad();
            Tensor first = grad(x.pow(p), List.of(x), true).getFirst();
            assertThat(first.item()).as("derivative of x^%s at 0", p).isEqualTo(p == 1 ? 1 : 0);
            double second =
                    first.requiresGrad() ? grad(first, List.of(x), false).getFirst().item() : 0;
            assertThat(second).as("second derivative of x^%s at 0", p).isEqualTo(p == 2 ? 2 : 0);
        }
    }

    @Test
    void accumulationLeavesTheCallersGradientAlone() {
        Tensor x = ones(2).requireGrad();
        Tensor dy = tensor(1, 2);
        Grads first = x.add(ones(2)).backward(dy);
        Grads both = first.accumulate(x.mul(3).sum().backward());
        assertThat(both.get(x).toFloats()).containsExactly(4, 5);
        assertThat(dy.toFloats()).containsExactly(1, 2);
    }

    @Test
    void theOrderOfGradientsIsThatOfTheWalk() {
        assertThat(sizesInOrder()).isEqualTo(sizesInOrder()).hasSize(50);
    }

    private static List<Long> sizesInOrder() {
        Tensor sum = tensor(0);
        for (int i = 1; i <= 50; i++) {
            sum = sum.add(parameter("p" + i, ones(i)).square().sum());
        }
        var sizes = new ArrayList<Long>();
        sum.backward().forEachTensor(grad -> sizes.add(grad.size()));
        return sizes;
    }

    @Test
    void gradientsAreAddedScaledAndClipped() {
        Parameter w = parameter("w", tensor(1, 2));
        Parameter v = parameter("v", tensor(5));
        Grads a = w.mul(tensor(3, 4)).sum().backward();
        Grads b = w.sum().add(v.mul(2)).backward();
        Grads sum = a.plus(b);
        assertThat(sum.get(w).toFloats()).containsExactly(4, 5);
        assertThat(sum.get(v).item()).isEqualTo(2);
        assertThat(a.get(w).toFloats()).as("operands stay").containsExactly(3, 4);
        assertThat(a.norm()).isCloseTo(5, within(1e-6));
        assertThat(a.clipNorm(10)).isSameAs(a);
        assertThat(a.clipNorm(1).norm()).isCloseTo(1, within(1e-5));
        assertThat(a.times(2).get(w).toFloats()).containsExactly(6, 8);
    }

    @Nested
    class JacobianVectorProducts {
        private void check(UnaryOperator<Tensor> f, int... dims) {
            double[] at = randn(rng, dims).toDoubles();
            double[] along = randn(rng, dims).toDoubles();
            Tensor v = reference(along, dims);
            double[] product = jvp(f, reference(at, dims), v).toDoubles();
            double h = 1e-6;
            double[] up = f.apply(reference(at, dims).add(v.mul(h))).toDoubles();
            double[] down = f.apply(reference(at, dims).sub(v.mul(h))).toDoubles();
            assertThat(product).hasSameSizeAs(up);
            for (int i = 0; i < product.length; i++) {
                double slope = (up[i] - down[i]) / (2 * h);
                assertThat(product[i]).isCloseTo(slope, within(1e-7 * (1 + Math.abs(slope))));
            }
        }

        private static Tensor reference(double[] values, int... dims) {
            return tensor64(values.clone(), dims).to(Device.REFERENCE);
        }

        @Test
        void agreeWithDifferences() {
            check(t -> softmax(t, -1), 3, 5);
            check(t -> silu(t).square().sum(), 7);
            check(t -> t.matmul(t.transpose()).exp(), 3, 2);
            check(t -> rmsNorm(t, reference(new double[] {1, 2, 3, 4}, 4), 1e-5), 2, 4);
            check(t -> t.add(1), 3);
        }

        @Test
        void ofAConstantAreZero() {
            assertThat(jvp(t -> ones(2), ones(3), ones(3)).toFloats()).containsExactly(0, 0);
        }

        @Test
        void takeAVectorOfTheShape() {
            assertThatThrownBy(() -> jvp(t -> t.mul(t), ones(3), ones(2)))
                    .isInstanceOf(PanagradException.class)
                    .hasMessageContaining("the gradient has another shape; got f32[2] for f32[3]");
        }
    }
}
