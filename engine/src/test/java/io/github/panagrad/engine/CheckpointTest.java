package io.github.panagrad.engine;

import static io.github.panagrad.engine.Ops.checkpoint;
import static io.github.panagrad.engine.Ops.dropout;
import static io.github.panagrad.engine.Ops.grad;
import static io.github.panagrad.engine.Ops.noGrad;
import static io.github.panagrad.engine.Ops.ones;
import static io.github.panagrad.engine.Ops.parameter;
import static io.github.panagrad.engine.Ops.rand;
import static io.github.panagrad.engine.Ops.randn;
import static io.github.panagrad.engine.Ops.rmsNorm;
import static io.github.panagrad.engine.Ops.scope;
import static io.github.panagrad.engine.Ops.silu;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Parallel;
import io.github.panagrad.engine.ground.Pool;
import io.github.panagrad.engine.ground.Rng;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CheckpointTest {
    private final int threads = Parallel.threads();

    /// How many threads hold a scratch array at a time is chance, and memory is compared here.
    @BeforeEach
    void onOneThread() {
        Parallel.setThreads(1);
    }

    @AfterEach
    void onAllThreads() {
        Parallel.setThreads(threads);
    }

    private final Rng rng = Rng.of(3);
    private final Parameter gain = parameter("gain", randn(rng, 8));
    private final Parameter up = parameter("up", randn(rng, 8, 12));
    private final Parameter down = parameter("down", randn(rng, 12, 8));
    private final List<Parameter> all = List.of(gain, up, down);
    private final Tensor input = randn(rng, 3, 8);

    private Tensor layer(Tensor x) {
        return x.add(silu(rmsNorm(x, gain, 1e-5).matmul(up)).matmul(down));
    }

    private static Tensor loss(Tensor y) {
        return y.square().mean();
    }

    private List<float[]> gradients(Tensor loss, Tensor x) {
        Grads grads = loss.backward();
        var values = new ArrayList<float[]>();
        values.add(grads.get(x).toFloats());
        all.forEach(p -> values.add(grads.get(p).toFloats()));
        return values;
    }

    private static void assertSameBits(List<float[]> actual, List<float[]> expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.size(); i++) {
            assertThat(actual.get(i)).as("gradient %d", i).isEqualTo(expected.get(i));
        }
    }

    @Test
    void sameValueAndSameGradientsBitForBit() {
        Tensor x = input.requireGrad();
        Tensor plain = loss(layer(layer(x)));
        Tensor z = input.requireGrad();
        Tensor spared = loss(checkpoint(this::layer, checkpoint(this::layer, z)));
        assertThat(spared.item()).isEqualTo(plain.item());
        assertThat(spared.toString()).contains("grad_fn=");
        List<float[]> expected = gradients(plain, x);
        assertSameBits(gradients(spared, z), expected);
    }

    @Test
    void nestedCheckpoints() {
        Tensor x = input.requireGrad();
        List<float[]> expected = gradients(loss(layer(layer(layer(x)))), x);
        UnaryOperator<Tensor> nested =
                t -> layer(checkpoint(u -> checkpoint(this::layer, layer(u)), t));
        Tensor z = input.requireGrad();
        assertSameBits(gradients(loss(checkpoint(nested, z)), z), expected);
    }

    @Test
    void capturedTensorsGetTheirGradients() {
        Tensor x = input.requireGrad();
        Tensor bias = randn(rng, 8).requireGrad();
        Tensor scaled = bias.mul(3);
        Tensor y = checkpoint(t -> t.mul(scaled).add(t).add(bias), x);
        Tensor plain = x.mul(bias.mul(3)).add(x).add(bias);
        Grads actual = loss(y).backward();
        Grads expected = loss(plain).backward();
        assertThat(actual.get(x).toFloats()).isEqualTo(expected.get(x).toFloats());
        assertThat(actual.get(bias).toFloats()).isEqualTo(expected.get(bias).toFloats());
    }

    @Test
    void argumentsMayBeCapturedToo() {
        Tensor x = input.requireGrad();
        Tensor y = checkpoint(t -> t.mul(x).mul(t), x);
        assertThat(y.sum().backward().get(x).toFloats())
                .isEqualTo(x.mul(x).mul(x).sum().backward().get(x).toFloats());
    }

    @Test
    void severalArgumentsAndResults() {
        Tensor a = input.requireGrad();
        Tensor b = randn(rng, 3, 8).requireGrad();
        Tensor[] y = checkpoint(in -> new Tensor[] {in[0].mul(in[1]), in[0].sum(), in[1]}, a, b);
        Grads grads = y[0].sum().add(y[1]).backward();
        assertThat(grads.get(a).toFloats()).isEqualTo(b.add(1).toFloats());
        assertThat(grads.get(b).toFloats()).isEqualTo(a.toFloats());
    }

    @Test
    void oneOfAnothersArguments() {
        Tensor a = input.requireGrad();
        Tensor b = a.mul(2);
        Tensor y = checkpoint(in -> new Tensor[] {in[0].mul(in[1])}, a, b)[0];
        assertThat(y.sum().backward().get(a).toFloats()).isEqualTo(a.mul(4).toFloats());
    }

    @Test
    void gradientsCanBeDifferentiatedAgain() {
        Tensor x = input.requireGrad();
        Tensor z = input.requireGrad();
        float[] expected = penalty(loss(layer(x)), x);
        float[] actual = penalty(loss(checkpoint(this::layer, z)), z);
        assertThat(actual).isEqualTo(expected);
    }

    @Test
    void gradientsCanBeDifferentiatedAgainInScopes() {
        float[] expected = scope(() -> penaltyInScopes(this::layer));
        float[] actual = scope(() -> penaltyInScopes(t -> checkpoint(this::layer, t)));
        assertThat(actual).isEqualTo(expected);
    }

    private float[] penaltyInScopes(UnaryOperator<Tensor> f) {
        Tensor x = input.requireGrad();
        Tensor loss = scope(() -> loss(f.apply(scope(() -> f.apply(x)))));
        return penalty(loss, x);
    }

    private float[] penalty(Tensor loss, Tensor x) {
        List<Tensor> first = grad(loss, List.of(x, up), true);
        Tensor squares = first.get(0).square().sum().add(first.get(1).square().sum());
        return squares.backward().get(up).toFloats();
    }

    @Test
    void gradientsInsideOfTheFunction() {
        UnaryOperator<Tensor> inner =
                t -> grad(loss(layer(t)), List.of(t), true).getFirst().square();
        Tensor x = input.requireGrad();
        List<float[]> expected = gradients(inner.apply(x).sum(), x);
        Tensor z = input.requireGrad();
        assertSameBits(gradients(checkpoint(inner, z).sum(), z), expected);
    }

    @Test
    void randomNumbersAreDrawnAgainAlike() {
        UnaryOperator<Tensor> noisy = t -> layer(t.mul(rand(rng, 3, 8)));
        long position = rng.position();
        Tensor x = input.requireGrad();
        List<float[]> expected = gradients(loss(noisy.apply(x)), x);
        rng.seek(position);
        Tensor z = input.requireGrad();
        Tensor loss = loss(checkpoint(rng, noisy, z));
        rng.draw();
        long before = rng.position();
        assertSameBits(gradients(loss, z), expected);
        assertThat(rng.position()).as("backward leaves the generator alone").isEqualTo(before);
    }

    @Test
    void dropoutIsRepeatedAlike() {
        UnaryOperator<Tensor> f = t -> layer(dropout(t, 0.5, rng));
        long position = rng.position();
        Tensor x = input.requireGrad();
        List<float[]> expected = gradients(loss(f.apply(x)), x);
        rng.seek(position);
        Tensor z = input.requireGrad();
        assertSameBits(gradients(loss(checkpoint(rng, f, z)), z), expected);
    }

    @Test
    void theDefaultGeneratorIsSetBackByItself() {
        Ops.seed(9);
        Tensor x = ones(4).requireGrad();
        var drawn = new ArrayList<float[]>();
        Tensor y =
                checkpoint(
                        t -> {
                            Tensor noise = rand(4);
                            drawn.add(noise.toFloats());
                            return t.mul(noise);
                        },
                        x);
        rand(2);
        float[] gradient = y.sum().backward().get(x).toFloats();
        assertThat(drawn).hasSize(2);
        assertThat(gradient).isEqualTo(drawn.get(0)).isEqualTo(drawn.get(1));
    }

    @Test
    void whatWasCapturedOutlivesItsScope() {
        Tensor x = input.requireGrad();
        Tensor y =
                scope(() -> {
                    Tensor mask = ones(8).mul(2);
                    return checkpoint(t -> t.mul(mask), x);
                });
        assertThat(y.sum().backward().get(x).toFloats()).containsOnly(2f);
    }

    @Test
    void aParameterChangedInBetweenIsAnError() {
        Tensor x = input.requireGrad();
        Tensor loss = loss(checkpoint(this::layer, x));
        up.assign(up.mul(2));
        assertThatThrownBy(loss::backward)
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("checkpoint")
                .hasMessageContaining("parameter up was changed between forward and backward");
    }

    @Test
    void aSecondBackwardIsAnError() {
        Tensor loss = loss(checkpoint(this::layer, input.requireGrad()));
        loss.backward();
        assertThatThrownBy(loss::backward)
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("the graph was already consumed");
    }

    @Test
    void runsOnceWithoutRecordingOrDependence() {
        var calls = new AtomicInteger();
        UnaryOperator<Tensor> f =
                t -> {
                    calls.incrementAndGet();
                    return t.mul(2);
                };
        assertThat(noGrad(() -> checkpoint(f, input.requireGrad())).requiresGrad()).isFalse();
        assertThat(checkpoint(f, input).requiresGrad()).isFalse();
        assertThat(calls).hasValue(2);
    }

    @Test
    void keepsNothingButItsInputs() {
        int n = 1 << 16;
        UnaryOperator<Tensor> deep =
                t -> {
                    for (int i = 0; i < 8; i++) {
                        t = silu(t);
                    }
                    return t;
                };
        scope(() -> {
            Tensor x = Ops.full(DType.F32, io.github.panagrad.engine.ground.Shape.of(n), 1);
            x = x.requireGrad();
            Pool.floats().trim();
            Tensor y = scopedCheckpoint(deep, x);
            assertThat(Pool.floats().cachedBytes())
                    .as("the results of seven of eight steps are free again")
                    .isGreaterThanOrEqualTo(7L * 4 * n);
            y.sum().backward();
        });
    }

    private static Tensor scopedCheckpoint(UnaryOperator<Tensor> f, Tensor x) {
        return checkpoint(f, x);
    }

    @Test
    void memoryIsFlatOverManySteps() {
        for (int step = 0; step < 5; step++) {
            oneStep();
        }
        long before = Pool.floats().freshBytes();
        for (int step = 0; step < 100; step++) {
            oneStep();
        }
        assertThat(Pool.floats().freshBytes()).isEqualTo(before);
    }

    private Tensor twoLayers(Tensor x) {
        return checkpoint(this::layer, layer(x));
    }

    private void oneStep() {
        scope(() -> {
            Tensor x = input.requireGrad();
            Tensor y = checkpoint(this::layer, scope(() -> checkpoint(this::twoLayers, x)));
            loss(y).backward().get(up);
        });
    }
}
