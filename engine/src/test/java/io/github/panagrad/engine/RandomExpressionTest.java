package io.github.panagrad.engine;

import static io.github.panagrad.engine.Ops.concat;
import static io.github.panagrad.engine.Ops.gelu;
import static io.github.panagrad.engine.Ops.geluTanh;
import static io.github.panagrad.engine.Ops.logSoftmax;
import static io.github.panagrad.engine.Ops.randn;
import static io.github.panagrad.engine.Ops.rmsNorm;
import static io.github.panagrad.engine.Ops.scope;
import static io.github.panagrad.engine.Ops.silu;
import static io.github.panagrad.engine.Ops.softmax;
import static io.github.panagrad.engine.Ops.where;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;

/// Random expressions over random leaves: value and gradients on the CPU in F32 agree with those on
/// the reference backend in F64.
class RandomExpressionTest {
    private static final int OPS = 12;

    /// Functions that keep the shape, and values of about one.
    private static final List<Function<Tensor, Tensor>> UNARY =
            List.of(
                    Tensor::tanh,
                    Tensor::sigmoid,
                    Tensor::sin,
                    Tensor::cos,
                    Tensor::erf,
                    Tensor::softplus,
                    Tensor::neg,
                    x -> silu(x),
                    x -> gelu(x),
                    x -> geluTanh(x),
                    x -> x.tanh().exp(),
                    x -> x.square().add(1).sqrt(),
                    x -> x.square().add(1).log(),
                    x -> x.square().add(1).rsqrt(),
                    x -> x.square().add(1).reciprocal(),
                    x -> x.sigmoid().add(0.5).pow(1.7),
                    x -> x.affine(0.7, -0.2),
                    x -> softmax(x, -1),
                    x -> logSoftmax(x, -1).mul(0.3),
                    x -> x.sub(x.mean(-1, true)),
                    x -> x.div(x.norm(-1, true).add(1)),
                    x -> x.cumsum(-1).tanh(),
                    x -> x.mul(x.logSumExp(-1, true).tanh()),
                    x -> x.add(x.var(-1, true, false).tanh()),
                    x -> x.pad(-1, 1, 2).narrow(-1, 0, x.dim(-1)),
                    x -> concat(-1, x.narrow(-1, 1, x.dim(-1) - 1), x.narrow(-1, 0, 1)),
                    x -> x.tril(0).add(x.triu(1).mul(0.5)),
                    x -> x.transpose().contiguous().transpose(),
                    x -> x.reshape(-1).reshape(x.shape().toArray()),
                    x -> x.slice(-1, 0, (x.dim(-1) + 1) / 2, 2).sum(-1, true).add(x),
                    x -> rmsNorm(x, x.narrow(0, 0, 1).reshape(-1).tanh(), 1e-3));

    /// Functions of two tensors of one shape.
    private static final List<BiFunction<Tensor, Tensor, Tensor>> BINARY =
            List.of(
                    Tensor::add,
                    Tensor::sub,
                    Tensor::mul,
                    (a, b) -> a.div(b.square().add(1)),
                    (a, b) -> a.add(b.mean(-1, true)),
                    (a, b) -> a.mul(b.narrow(0, 0, 1)),
                    (a, b) -> a.matmul(b.transpose()).mul(0.2).matmul(b).tanh(),
                    (a, b) -> a.sigmoid().add(0.1).pow(b.tanh()),
                    (a, b) -> where(a.detach().gt(b.detach()), a, b),
                    (a, b) -> concat(0, a, b).narrow(0, 1, a.dim(0)));

    /// One expression: what each step does to which earlier results.
    private record Step(int op, int left, int right) {}

    @RepeatedTest(60)
    void cpuAndReferenceAgree(RepetitionInfo repetition) {
        long seed = repetition.getCurrentRepetition() * 1_000_003L;
        var random = new Random(seed);
        int[] dims = {1 + random.nextInt(20), 2 + random.nextInt(34)};
        int leaves = 1 + random.nextInt(3);
        var steps = new ArrayList<Step>();
        for (int i = 0; i < OPS; i++) {
            steps.add(
                    new Step(
                            random.nextInt(UNARY.size() + BINARY.size()),
                            leaves + i - 1 - random.nextInt(Math.min(leaves + i, 3)),
                            random.nextInt(leaves + i)));
        }
        scope(() -> {
            List<double[]> actual = run(seed, dims, leaves, steps, DType.F32, Device.CPU);
            List<double[]> expected = run(seed, dims, leaves, steps, DType.F64, Device.REFERENCE);
            for (int i = 0; i < expected.size(); i++) {
                compare(actual.get(i), expected.get(i), i + " of " + steps + ", seed " + seed);
            }
        });
    }

    private static List<double[]> run(
            long seed, int[] dims, int leaves, List<Step> steps, DType dtype, Device device) {
        Rng rng = Rng.of(seed);
        var results = new ArrayList<Tensor>();
        for (int i = 0; i < leaves; i++) {
            results.add(randn(rng, dims).to(dtype).to(device).requireGrad());
        }
        List<Tensor> inputs = List.copyOf(results);
        for (Step step : steps) {
            Tensor a = results.get(step.left());
            Tensor b = results.get(step.right());
            results.add(
                    step.op() < UNARY.size()
                            ? UNARY.get(step.op()).apply(a)
                            : BINARY.get(step.op() - UNARY.size()).apply(a, b));
        }
        Tensor last = results.getLast();
        assertThat(last.shape()).isEqualTo(Shape.of(dims));
        Tensor weights = randn(rng, dims).to(dtype).to(device);
        Grads grads = last.mul(weights).sum().backward();
        var values = new ArrayList<double[]>();
        values.add(last.toDoubles());
        for (Tensor input : inputs) {
            values.add(grads.find(input).map(Tensor::toDoubles).orElse(new double[0]));
        }
        return values;
    }

    private static void compare(double[] actual, double[] expected, String which) {
        assertThat(actual.length).as("size of result %s", which).isEqualTo(expected.length);
        double scale = 1;
        for (double value : expected) {
            assertThat(value).as("reference of result %s", which).isFinite();
            scale = Math.max(scale, Math.abs(value));
        }
        for (int i = 0; i < actual.length; i++) {
            if (!(Math.abs(actual[i] - expected[i]) <= 2e-4 * scale)) {
                throw new AssertionError(
                        "result %s: element %d is %s, expected %s (largest %s)"
                                .formatted(which, i, actual[i], expected[i], scale));
            }
        }
    }
}
