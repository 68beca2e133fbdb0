package io.github.panagrad.tornado;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Tape;
import java.util.Arrays;
import java.util.List;

/// The first device, and how tests compare it with the CPU.
final class OnDevice {
    static final Device DEVICE = new Device(TornadoBackend.NAME, 0);

    private OnDevice() {}

    /// Applies an op there and here and demands the same results, within a part of the largest
    /// value; and that it was a kernel of the device that ran.
    static void agrees(double tolerance, Op op, Tensor... in) {
        Tensor[] there = Arrays.stream(in).map(x -> x.to(DEVICE)).toArray(Tensor[]::new);
        Backends.clearLog();
        Tensor[] results = Tape.apply(op, there);
        noneByTheHost();
        Tensor[] expected = Tape.apply(op, in);
        for (int i = 0; i < expected.length; i++) {
            close(results[i].toDoubles(), expected[i].toDoubles(), tolerance);
        }
    }

    /// Demands that all ops since the log was cleared ran by kernels of the device.
    static void noneByTheHost() {
        List<String> onDevice =
                Backends.explain()
                        .lines()
                        .filter(line -> line.startsWith(TornadoBackend.NAME))
                        .toList();
        assertThat(onDevice).isNotEmpty();
        assertThat(onDevice).noneMatch(l -> l.contains("reference") || l.contains("composed"));
    }

    /// Demands equal values, within a part of the largest; NaN equals NaN.
    static void close(double[] actual, double[] expected, double tolerance) {
        assertThat(actual).hasSameSizeAs(expected);
        double most =
                Arrays.stream(expected).filter(Double::isFinite).map(Math::abs).max().orElse(0);
        for (int i = 0; i < actual.length; i++) {
            boolean same = Double.compare(actual[i], expected[i]) == 0 || actual[i] == expected[i];
            assertThat(same || Math.abs(actual[i] - expected[i]) <= tolerance * most)
                    .as("element %d: %s, expected %s", i, actual[i], expected[i])
                    .isTrue();
        }
    }
}
