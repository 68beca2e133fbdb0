package io.github.panagrad.engine;

import static io.github.panagrad.engine.Ops.arange;
import static io.github.panagrad.engine.Ops.full;
import static io.github.panagrad.engine.Ops.indices;
import static io.github.panagrad.engine.Ops.mask;
import static io.github.panagrad.engine.Ops.ones;
import static io.github.panagrad.engine.Ops.parameter;
import static io.github.panagrad.engine.Ops.rand;
import static io.github.panagrad.engine.Ops.randn;
import static io.github.panagrad.engine.Ops.rmsNorm;
import static io.github.panagrad.engine.Ops.scope;
import static io.github.panagrad.engine.Ops.seed;
import static io.github.panagrad.engine.Ops.silu;
import static io.github.panagrad.engine.Ops.tensor;
import static io.github.panagrad.engine.Ops.tensor64;
import static io.github.panagrad.engine.Ops.zeros;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.spi.Backends;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TensorTest {
    @Nested
    class Broadcasting {
        @ParameterizedTest
        @CsvSource({
            "'2,3','2,3','2,3'",
            "'2,3','3','2,3'",
            "'2,3','','2,3'",
            "'','',''",
            "'2,1','1,3','2,3'",
            "'4,1,3','5,1','4,5,3'",
            "'2,0','1','2,0'",
        })
        void followsNumPy(String a, String b, String result) {
            Tensor x = randn(Rng.of(1), dims(a));
            Tensor y = randn(Rng.of(2), dims(b));
            Tensor sum = x.add(y);
            assertThat(sum.shape()).isEqualTo(Shape.of(dims(result)));
            assertThat(y.add(x).toFloats()).isEqualTo(sum.toFloats());
            assertThat(sum.toFloats())
                    .isEqualTo(x.expand(sum.shape()).add(y.expand(sum.shape())).toFloats());
        }

        private static int[] dims(String text) {
            return text.isEmpty()
                    ? new int[0]
                    : java.util.Arrays.stream(text.split(","))
                            .mapToInt(Integer::parseInt)
                            .toArray();
        }

        @Test
        void gradientsAreSummedBack() {
            Tensor x = ones(2, 1).requireGrad();
            Tensor y = ones(3).requireGrad();
            Grads grads = x.mul(y).mul(2).sum().backward();
            assertThat(grads.get(x).toFloats()).containsExactly(6, 6);
            assertThat(grads.get(x).shape()).isEqualTo(x.shape());
            assertThat(grads.get(y).toFloats()).containsExactly(4, 4, 4);
        }
    }

    @Nested
    class Printing {
        @Test
        void saysWhatItIsAndShowsValues() {
            assertThat(tensor(1, 2.5, -3e-5))
                    .hasToString("tensor f32[3] cpu [1.0000, 2.5000, -3.000e-05]");
            assertThat(tensor(7)).hasToString("tensor f32[] cpu 7.0000");
            assertThat(arange(4).reshape(2, 2))
                    .hasToString("tensor i32[2,2] cpu\n[[0, 1],\n [2, 3]]");
            assertThat(mask(new boolean[] {true, false}))
                    .hasToString("tensor bool[2] cpu [true, false]");
            assertThat(tensor64(new double[] {0}).to(Device.REFERENCE))
                    .hasToString("tensor f64[] reference 0.0000");
            assertThat(zeros(0)).hasToString("tensor f32[0] cpu []");
        }

        @Test
        void saysWhereItCameFrom() {
            Tensor x = ones(2, 3).requireGrad();
            assertThat(silu(x).toString()).startsWith("tensor f32[2,3] cpu, grad_fn=silu\n[[0.73");
            assertThat(x.toString()).startsWith("tensor f32[2,3] cpu, grad_fn=leaf");
            Parameter w = parameter("w", ones(2));
            assertThat(w).hasToString("tensor f32[2] cpu, parameter w [1.0000, 1.0000]");
            assertThat(w.trainable(false))
                    .hasToString("tensor f32[2] cpu, parameter w (frozen) [1.0000, 1.0000]");
        }

        @Test
        void cutsLongOnesShort() {
            assertThat(arange(100)).hasToString("tensor i32[100] cpu [0, 1, 2, …, 97, 98, 99]");
            assertThat(zeros(50, 50).toString().lines()).hasSize(8);
        }

        @Test
        void printsReleasedOnesWithoutTheirValues() {
            var leaked = new Tensor[1];
            scope(() -> {
                leaked[0] = ones(3).add(1);
            });
            assertThat(leaked[0]).hasToString("tensor f32[3] cpu (released by scope 'scope')");
        }
    }

    @Nested
    class DTypes {
        @Test
        void storedWeightsAreWidenedOnUse() {
            Rng rng = Rng.of(3);
            Tensor x = randn(rng, 3, 16);
            for (DType stored : new DType[] {DType.BF16, DType.F16}) {
                Tensor weight = randn(rng, 16, 8).to(stored);
                Tensor wide = weight.to(DType.F32);
                assertThat(weight.dtype()).isEqualTo(stored);
                assertThat(x.matmul(weight).toFloats()).isEqualTo(x.matmul(wide).toFloats());
                assertThat(weight.add(1).dtype()).isEqualTo(DType.F32);
                assertThat(weight.transpose().add(1).toFloats())
                        .isEqualTo(wide.transpose().add(1).toFloats());
                assertThat(Ops.embedding(weight, Ops.indices(new int[] {3, 3})).toFloats())
                        .isEqualTo(Ops.embedding(wide, Ops.indices(new int[] {3, 3})).toFloats());
            }
        }

        @Test
        void frozenStoredWeightsLetGradientsThrough() {
            Rng rng = Rng.of(4);
            Tensor x = randn(rng, 3, 16).requireGrad();
            Parameter frozen = parameter("w", randn(rng, 16, 8).to(DType.BF16));
            assertThat(frozen.isTrainable()).isFalse();
            Grads grads = x.matmul(frozen).sum().backward();
            assertThat(grads.get(x).toFloats())
                    .isEqualTo(ones(3, 8).matmul(frozen.to(DType.F32).transpose()).toFloats());
            assertThat(grads.find(frozen)).isEmpty();
        }

        @Test
        void gradientsFlowThroughStoredTensors() {
            Tensor x = randn(Rng.of(5), 4, 8).requireGrad();
            Tensor weight = ones(8).requireGrad();
            Tensor loss = rmsNorm(x.to(DType.BF16), weight, 1e-5).square().sum();
            Grads grads = loss.backward();
            assertThat(grads.get(x).dtype()).isEqualTo(DType.F32);
            assertThat(grads.get(weight).toFloats()).hasSize(8);
        }

        @Test
        void roundsLikeTheTypes() {
            Tensor x = tensor(1.00390625, 3.14159265, 65504, 1e-8);
            assertThat(x.to(DType.BF16).toFloats())
                    .containsExactly(1, 3.140625f, 65536, 1.0011718e-8f);
            assertThat(x.to(DType.F16).toFloats())
                    .containsExactly(1.00390625f, 3.140625f, 65504, 0);
            assertThat(tensor(2.9, -2.9).to(DType.I32).toInts()).containsExactly(2, -2);
            assertThat(tensor(0, 0.5).to(DType.BOOL).toInts()).containsExactly(0, 1);
            assertThat(full(DType.I64, Shape.of(2), 5).toInts()).containsExactly(5, 5);
        }

        @Test
        void doublesOnTheCpuFallToTheReference() {
            Backends.clearLog();
            Tensor x = tensor64(new double[] {1e-17, 2, 3}).requireGrad();
            Tensor y = x.add(1).mul(x).sum();
            assertThat(y.dtype()).isEqualTo(DType.F64);
            assertThat(y.device()).isEqualTo(Device.CPU);
            assertThat(y.backward().get(x).toDoubles()).containsExactly(1, 5, 7);
            assertThat(Backends.explain().lines().filter(l -> l.startsWith("cpu")))
                    .isNotEmpty()
                    .allMatch(line -> line.contains("reference"));
        }
    }

    @Test
    void randomNumbersComeAgainWithTheirSeed() {
        seed(5);
        float[] first = randn(7).toFloats();
        float[] second = rand(7).toFloats();
        seed(5);
        assertThat(randn(7).toFloats()).isEqualTo(first);
        assertThat(rand(7).toFloats()).isEqualTo(second);
        Tensor many = randn(Rng.of(1), 100_000);
        assertThat(many.mean().item()).isCloseTo(0, within(0.02));
        assertThat(many.var(true).item()).isCloseTo(1, within(0.02));
        assertThat(rand(Rng.of(1), 100_000).mean().item()).isCloseTo(0.5, within(0.01));
    }

    @Test
    void viewsShareTheirMemory() {
        Tensor x = arange(24).to(DType.F32).reshape(2, 3, 4);
        for (Tensor view :
                new Tensor[] {
                    x.transpose(),
                    x.permute(2, 0, 1),
                    x.narrow(1, 1, 2),
                    x.slice(2, 1, 2, 2),
                    x.reshape(6, 4),
                    x.unsqueeze(0).expand(Shape.of(5, 2, 3, 4)),
                }) {
            assertThat(view.storage()).isSameAs(x.storage());
        }
    }

    @Test
    void parametersMayBeAssignedFromViewsOfThemselves() {
        Parameter p = parameter("p", arange(4).to(DType.F32).reshape(2, 2));
        p.assign(p.transpose());
        assertThat(p.toFloats()).containsExactly(0, 2, 1, 3);
        assertThat(p.version()).isEqualTo(1);
    }

    @Test
    void aParameterHasNoHistory() {
        Tensor x = ones(2, 3).requireGrad();
        Parameter p = parameter("p", x.mul(2).transpose());
        assertThat(p.layout().isContiguous()).isTrue();
        Grads grads = p.sum().backward();
        assertThat(grads.find(x)).isEmpty();
        assertThat(grads.get(p).shape()).isEqualTo(Shape.of(3, 2));
    }

    @Test
    void numbersOfSingleElements() {
        assertThat(indices(new int[] {3}).item()).isEqualTo(3);
        assertThat(ones(1, 1).item()).isEqualTo(1);
        assertThatThrownBy(() -> zeros(0).item()).hasMessageContaining("expected one element");
    }

    @Test
    void constantsAreMadeOfTheTypeBesideThem() {
        double[] values = {0.1, -2, 3, 1e-9};
        assertThat(Ops.tensor(DType.F32, values, 2, 2).toFloats())
                .containsExactly(0.1f, -2f, 3f, 1e-9f);
        Tensor exact = Ops.tensor(DType.F64, values, 4);
        values[0] = 7;
        assertThat(exact.toDoubles()).containsExactly(0.1, -2, 3, 1e-9);
        assertThat(Ops.tensor(DType.BF16, values, 4).dtype()).isEqualTo(DType.BF16);
    }
}
