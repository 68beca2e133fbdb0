package io.github.panagrad.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.engine.tape.Fused;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Tape;
import java.util.ArrayList;
import java.util.List;

/// Holds an op and its gradients on the device against the CPU's, at sizes that take many groups.
final class HostComparison {
    static final Device DEVICE = new Device(TornadoBackend.NAME, 0);

    /// Relative to the largest value.
    private static final double TOLERANCE = 4e-6;

    private HostComparison() {}

    /// Draws from a normal distribution.
    static Tensor random(int... dims) {
        return Ops.randn(Rng.of(3), dims);
    }

    /// Checks all results, and the gradients of a weighted sum of them.
    static void check(Op op, Tensor... in) {
        Tensor[] there = new Tensor[in.length];
        for (int i = 0; i < in.length; i++) {
            there[i] = in[i].to(DEVICE);
        }
        List<Tensor> expected = results(op, in);
        List<Tensor> actual = results(op, there);
        for (int i = 0; i < expected.size(); i++) {
            compare(op + ", result " + i, actual.get(i), expected.get(i));
        }
    }

    private static List<Tensor> results(Op op, Tensor[] in) {
        var leaves = new ArrayList<Tensor>();
        Tensor[] operands = in.clone();
        for (int i = 0; i < in.length; i++) {
            if (in[i].dtype().isFloating()) {
                operands[i] = in[i].requireGrad();
                leaves.add(operands[i]);
            }
        }
        Tensor[] out = Tape.apply(op, operands);
        var results = new ArrayList<Tensor>(List.of(out));
        Tensor loss = null;
        for (int i = 0; i < out.length; i++) {
            Tensor y = out[i];
            if (y.requiresGrad() && (!(op instanceof Fused fused) || fused.hasGradient(i))) {
                Tensor weights = Ops.randn(Rng.of(7 + i), y.shape().toArray()).to(y.device());
                Tensor part = y.mul(weights).sum();
                loss = loss == null ? part : loss.add(part);
            }
        }
        if (loss != null) {
            Grads grads = loss.backward();
            for (Tensor leaf : leaves) {
                grads.find(leaf).ifPresent(results::add);
            }
        }
        return results;
    }

    /// Compares two tensors, NaN and infinities too.
    static void compare(String what, Tensor actual, Tensor expected) {
        assertThat(actual.shape()).as(what).isEqualTo(expected.shape());
        double[] a = actual.toDoubles();
        double[] e = expected.toDoubles();
        double scale = 1;
        for (double value : e) {
            scale = Double.isFinite(value) ? Math.max(scale, Math.abs(value)) : scale;
        }
        for (int i = 0; i < a.length; i++) {
            if (Double.isFinite(e[i])) {
                assertThat(a[i])
                        .as("%s, element %d", what, i)
                        .isCloseTo(e[i], within(TOLERANCE * scale));
            } else {
                assertThat(a[i]).as("%s, element %d", what, i).isEqualTo(e[i]);
            }
        }
    }

    /// Checks that some ops ran on the device, and by its kernels only.
    static void assertOwnKernels(String... ops) {
        for (String op : ops) {
            assertThat(Backends.explain().lines())
                    .filteredOn(line -> line.startsWith(TornadoBackend.NAME))
                    .filteredOn(line -> line.split("\\s+")[1].equals(op))
                    .as(op)
                    .isNotEmpty()
                    .noneMatch(line -> line.contains("reference") || line.contains("composed"));
        }
    }
}
