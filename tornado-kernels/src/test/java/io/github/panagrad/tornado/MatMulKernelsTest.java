package io.github.panagrad.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.op.Linear;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.engine.tape.Tape;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Products whose sides are no multiples of tiles, in every orientation, against the CPU.
class MatMulKernelsTest {
    private static final Device DEVICE = new Device(TornadoBackend.NAME, 0);

    /// Relative to the largest value.
    private static final double TOLERANCE = 4e-6;

    @BeforeEach
    void clearLog() {
        Backends.clearLog();
    }

    @ParameterizedTest
    @CsvSource({
        "64, 64, 16",
        "65, 63, 17",
        "130, 129, 70",
        "5, 200, 33",
        "200, 5, 300",
        "1, 77, 513",
        "3, 33, 40",
        "4, 130, 31",
        "100, 1, 65",
        "77, 4, 129",
        "2, 2, 1"
    })
    void multipliesInEveryOrientation(int m, int n, int k) {
        check((a, b) -> a.matmul(b), random(m, k), random(k, n));
        check((a, b) -> a.transpose().matmul(b), random(k, m), random(k, n));
        check((a, b) -> a.matmul(b.transpose()), random(m, k), random(n, k));
        check((a, b) -> a.transpose().matmul(b.transpose()), random(k, m), random(n, k));
        assertOwnKernels();
    }

    @Test
    void multipliesBatches() {
        check((a, b) -> a.matmul(b), random(3, 66, 20), random(3, 20, 70));
        check((a, b) -> a.matmul(b), random(3, 5, 66, 20), random(20, 70));
        check((a, b) -> a.matmul(b), random(2, 1, 9, 20), random(3, 20, 70));
        check((a, b) -> a.matmul(b), random(9, 20), random(2, 3, 20, 7));
        check((a, b) -> a.matmul(b), random(2, 1, 3, 1, 9, 20), random(2, 1, 2, 20, 3));
        check((a, b) -> a.matmul(b), random(5, 1, 20), random(20, 70));
        check((a, b) -> a.permute(1, 0, 2).matmul(b), random(9, 4, 20), random(20, 7));
        check(
                (a, b) -> a.permute(0, 2, 1, 3).matmul(b.permute(0, 2, 3, 1)),
                random(2, 33, 3, 16),
                random(2, 65, 3, 16));
        assertOwnKernels();
    }

    @Test
    void multipliesWhatHasGapsOrNothing() {
        check((a, b) -> a.slice(1, 2, 30, 1).matmul(b), random(70, 40), random(30, 66));
        check((a, b) -> a.matmul(b).sum(), random(3, 0), random(0, 4));
        check((a, b) -> a.matmul(b), random(0, 3), random(3, 4));
    }

    @Test
    void appliesLinearLayers() {
        Tensor bias = random(70);
        Function<Device, BinaryOperator<Tensor>> linear =
                device -> (x, w) -> Tape.apply(new Linear(), x, w, bias.to(device))[0];
        for (Tensor x : new Tensor[] {random(33), random(3, 33), random(2, 35, 33)}) {
            Tensor w = random(70, 33);
            compare(
                    linear.apply(DEVICE).apply(x.to(DEVICE), w.to(DEVICE)),
                    linear.apply(Device.CPU).apply(x, w));
        }
        Tensor one = random(1);
        compare(
                Tape.apply(
                        new Linear(),
                        random(66, 33).to(DEVICE),
                        random(1, 33).to(DEVICE),
                        one.to(DEVICE))[0],
                Tape.apply(new Linear(), random(66, 33), random(1, 33), one)[0]);
        assertOwnKernels();
    }

    /// Checks that products on the device did not end up with the host or with plain ops.
    private static void assertOwnKernels() {
        assertThat(Backends.explain().lines())
                .filteredOn(line -> line.startsWith(TornadoBackend.NAME))
                .filteredOn(line -> line.contains("MatMul") || line.contains("Linear"))
                .isNotEmpty()
                .allMatch(line -> line.contains("Kernel"), "runs by a kernel of the device's");
    }

    private static Tensor random(int... dims) {
        return Ops.randn(Rng.of(3), dims);
    }

    /// Compares a function and its gradients on the device with the CPU's.
    private static void check(BinaryOperator<Tensor> product, Tensor a, Tensor b) {
        Tensor[] here = gradients(product, a, b);
        Tensor[] there = gradients(product, a.to(DEVICE), b.to(DEVICE));
        for (int i = 0; i < here.length; i++) {
            compare(there[i], here[i]);
        }
    }

    /// Returns the product and the gradients of its sum of squares.
    private static Tensor[] gradients(BinaryOperator<Tensor> product, Tensor a, Tensor b) {
        Tensor x = a.requireGrad();
        Tensor y = b.requireGrad();
        Tensor result = product.apply(x, y);
        Grads grads = result.square().sum().backward();
        return new Tensor[] {result, grads.get(x), grads.get(y)};
    }

    private static void compare(Tensor actual, Tensor expected) {
        assertThat(actual.shape()).isEqualTo(expected.shape());
        double[] a = actual.toDoubles();
        double[] e = expected.toDoubles();
        double scale = 1;
        for (double value : e) {
            scale = Math.max(scale, Math.abs(value));
        }
        for (int i = 0; i < a.length; i++) {
            assertThat(a[i]).as("element %d", i).isCloseTo(e[i], within(TOLERANCE * scale));
        }
    }
}
