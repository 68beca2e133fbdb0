package io.github.panagrad.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.spi.Backends;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MatMulKernelTest {
    private final Rng rng = Rng.of(5);

    private Tensor randn(int... dims) {
        return Ops.randn(rng, dims);
    }

    private static void check(Tensor a, Tensor b) {
        check(a, b, UnaryOperator.identity(), UnaryOperator.identity());
    }

    /// Compares with the reference on the same views, made anew on its own copy of the data.
    private static void check(
            Tensor a, Tensor b, UnaryOperator<Tensor> viewA, UnaryOperator<Tensor> viewB) {
        Tensor y = viewA.apply(a).matmul(viewB.apply(b));
        Tensor expected =
                viewA.apply(a.to(DType.F32).to(Device.REFERENCE))
                        .matmul(viewB.apply(b.to(DType.F32).to(Device.REFERENCE)));
        assertThat(y.shape()).isEqualTo(expected.shape());
        double[] actual = y.toDoubles();
        double[] wanted = expected.toDoubles();
        double largest = 1;
        for (double value : wanted) {
            largest = Math.max(largest, Math.abs(value));
        }
        for (int i = 0; i < wanted.length; i++) {
            assertThat(Math.abs(actual[i] - wanted[i]))
                    .as("%s · %s at %d", a.spec(), b.spec(), i)
                    .isLessThanOrEqualTo(2e-6 * largest);
        }
    }

    @Test
    void runsOnItsOwnKernel() {
        Backends.clearLog();
        randn(3, 4).matmul(randn(4, 5));
        assertThat(Backends.explain()).contains("MatMul").contains("MatMulKernel");
    }

    @Test
    void multipliesBatches() {
        check(randn(3, 5, 7), randn(3, 7, 2));
        check(randn(2, 3, 20, 40), randn(2, 3, 40, 30));
        check(randn(4, 1, 19, 8), randn(3, 8, 50));
        check(randn(70, 2, 3), randn(70, 3, 2));
        check(randn(2, 300, 260), randn(2, 260, 300));
    }

    @Test
    void treatsRowsOfABatchAsOneMatrix() {
        check(randn(4, 9, 33), randn(33, 40));
        check(randn(2, 3, 1, 16), randn(16, 20));
        check(randn(2, 3, 9, 16), randn(3, 16, 20));
        check(randn(6, 9, 16), randn(16, 20), t -> t.slice(0, 0, 3, 2), t -> t);
    }

    @Test
    void repeatsMatricesOfABatch() {
        check(randn(5, 7), randn(6, 7, 30));
        check(randn(1, 5, 7), randn(6, 7, 30));
        check(randn(7), randn(7, 3), t -> t.reshape(1, 7).expand(shape(4, 7)), t -> t);
        check(randn(5, 7), randn(3), t -> t, t -> t.reshape(1, 3).expand(shape(7, 3)));
        check(randn(5, 7), randn(7, 1), t -> t, t -> t.expand(shape(7, 20)));
    }

    private static Shape shape(int... dims) {
        return Shape.of(dims);
    }

    @Test
    void readsViewsWhereTheyLie() {
        check(randn(40, 30), randn(40, 50), Tensor::transpose, t -> t);
        check(randn(30, 40), randn(50, 40), t -> t, Tensor::transpose);
        check(randn(40, 30), randn(50, 40), Tensor::transpose, Tensor::transpose);
        check(randn(30, 60), randn(40, 50), t -> t.narrow(1, 7, 40), t -> t);
        check(randn(30, 40), randn(80, 50), t -> t, t -> t.slice(0, 1, 40, 2));
        UnaryOperator<Tensor> heads = t -> t.permute(0, 2, 1, 3);
        check(randn(2, 20, 3, 8), randn(2, 20, 3, 8), heads, t -> t.permute(0, 2, 3, 1));
        check(randn(2, 3, 20, 20), randn(2, 20, 3, 8), t -> t, heads);
    }

    @Test
    void copiesWhatHasGapsInBothDimensions() {
        check(randn(30, 80), randn(40, 50), t -> t.slice(1, 0, 40, 2), t -> t);
        check(randn(30, 40), randn(40, 99), t -> t, t -> t.slice(1, 1, 33, 3));
        check(
                randn(2, 5, 80),
                randn(3, 1, 40, 66),
                t -> t.slice(2, 0, 40, 2),
                t -> t.slice(3, 0, 33, 2));
    }

    @ParameterizedTest
    @EnumSource(names = {"BF16", "F16"})
    void readsStoredWeights(DType type) {
        Tensor weight = randn(50, 40).to(type);
        check(randn(30, 40), weight, t -> t, Tensor::transpose);
        check(randn(3, 40), weight, t -> t, Tensor::transpose);
        check(randn(1, 40), weight, t -> t, Tensor::transpose);
        check(randn(30, 50), weight);
        check(randn(2, 50), weight);
        check(weight, randn(40, 3));
        check(weight, randn(40, 30));
        check(weight, randn(50, 30), Tensor::transpose, t -> t);
        check(randn(2, 9, 40), weight, t -> t, Tensor::transpose);
        check(randn(9, 20), weight, t -> t, t -> t.transpose().slice(0, 0, 20, 2));
        check(randn(9, 25), weight, t -> t, t -> t.slice(0, 0, 25, 2).slice(1, 0, 20, 2));
    }

    @Test
    void handlesEmptyMatrices() {
        check(randn(0, 4), randn(4, 5));
        check(randn(3, 0), randn(0, 5));
        check(randn(2, 3, 4), randn(2, 4, 0));
    }

    @Test
    void agreesOnRandomViews() {
        long seed = Long.getLong("panagrad.seed", 1);
        var random = new Random(seed);
        for (int round = 0; round < 60; round++) {
            int[] extents = new int[5];
            for (int i = 0; i < 5; i++) {
                extents[i] = 1 + random.nextInt(i < 2 ? 3 : 45);
            }
            int m = extents[2];
            int n = extents[3];
            int k = extents[4];
            boolean turnA = random.nextBoolean();
            boolean turnB = random.nextBoolean();
            int[] a = {extents[0], extents[1], turnA ? k : m, turnA ? m : k};
            int[] b = {extents[0], extents[1], turnB ? n : k, turnB ? k : n};
            a[random.nextInt(2)] = 1;
            b[random.nextInt(2)] = 1;
            try {
                check(
                        randn(a),
                        randn(b),
                        turnA ? Tensor::transpose : t -> t,
                        turnB ? Tensor::transpose : t -> t);
            } catch (AssertionError e) {
                throw new AssertionError("seed " + seed + ", round " + round, e);
            }
        }
    }
}
