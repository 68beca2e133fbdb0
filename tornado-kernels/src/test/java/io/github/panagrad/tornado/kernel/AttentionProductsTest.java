package io.github.panagrad.tornado.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.Grads;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.HeapStorage;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.op.Attention;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Tape;
import io.github.panagrad.tornado.device.DeviceStorage;
import io.github.panagrad.tornado.device.PanagradDevice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;

/// Attention as products, in one piece and in several, against the CPU.
class AttentionProductsTest {
    private static final int MEGABYTES = 64;
    private static final int BATCH = 2;

    /// Relative to the largest value.
    private static final double TOLERANCE = 6e-6;

    private static Setup whole;
    private static Setup pieces;

    /// Kernels with memory for so many scores, on a device of their own.
    private record Setup(PanagradDevice device, AttentionProducts kernel) {
        static Setup of(long scores) {
            var device =
                    new PanagradDevice(
                            new Device("tornado", 0),
                            TornadoRuntimeProvider.getTornadoRuntime().getBackend(0).getDevice(0),
                            MEGABYTES);
            var copies = new CopyKernels(device.programs());
            return new Setup(
                    device,
                    new AttentionProducts(
                            device, new MatMulKernels(device), copies, new Folds(device), scores));
        }
    }

    @BeforeAll
    static void open() {
        whole = Setup.of(1 << 20);
        pieces = Setup.of(20_000);
    }

    @ParameterizedTest
    @CsvSource({
        // T, S, H, G, D, causal, window, padded
        "40, 40, 2, 2, 16, true, 0, false",
        "65, 65, 4, 2, 17, true, 0, false",
        "33, 70, 6, 2, 20, true, 0, true",
        "50, 90, 3, 1, 8, false, 0, true",
        "90, 50, 2, 1, 8, false, 0, false",
        "120, 120, 2, 1, 16, true, 30, false",
        "80, 80, 2, 2, 16, false, 25, true"
    })
    void attends(int t, int s, int h, int g, int d, boolean causal, int window, boolean padded) {
        var op = new Attention(1 / Math.sqrt(d), causal, window, padded, false);
        var operands = new ArrayList<Tensor>();
        Rng rng = Rng.of(5);
        operands.add(Ops.randn(rng, BATCH, t, h, d));
        operands.add(Ops.randn(rng, BATCH, s, g, d));
        operands.add(Ops.randn(rng, BATCH, s, g, d));
        if (padded) {
            operands.add(padding(s));
        }
        check(op, operands, whole);
        check(op, operands, pieces);
    }

    private static void check(Attention op, List<Tensor> operands, Setup setup) {
        PanagradDevice device = setup.device;
        Tensor[] all = operands.toArray(Tensor[]::new);
        for (int i = 0; i < 3; i++) {
            all[i] = all[i].requireGrad();
        }
        Tensor[] expected = Tape.apply(op, all);
        Grads grads = expected[0].square().sum().backward();

        View[] in = operands.stream().map(x -> upload(device, x)).toArray(View[]::new);
        View[] out = {empty(device, expected[0].shape()), empty(device, expected[1].shape())};
        setup.kernel.forward(op, in, out);
        compare(device, out[0], expected[0]);
        compare(device, out[1], expected[1]);

        Tensor gradient = expected[0].detach().mul(2);
        Tensor delta = gradient.mul(expected[0].detach()).sum(-1, false).permute(0, 2, 1);
        View[] both = Arrays.copyOf(in, in.length + 3);
        both[in.length] = out[0];
        both[in.length + 1] = out[1];
        both[in.length + 2] = upload(device, gradient);
        View[] gradients = {
            empty(device, all[0].shape()),
            empty(device, all[1].shape()),
            empty(device, all[2].shape())
        };
        setup.kernel.backward(
                new Attention.Grad(op, true, true, true),
                both,
                gradients,
                Places.at(upload(device, delta.contiguous())));
        for (int i = 0; i < 3; i++) {
            compare(device, gradients[i], grads.get(all[i]));
        }
    }

    private static View upload(PanagradDevice device, Tensor tensor) {
        boolean real = tensor.dtype() == DType.F32;
        DeviceStorage storage = device.allocate(tensor.dtype(), tensor.shape().size());
        if (real) {
            double[] from = tensor.toDoubles();
            float[] values = new float[from.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) from[i];
            }
            device.upload(HeapStorage.of(values), storage);
        } else {
            int[] from = tensor.to(DType.I32).toInts();
            byte[] values = new byte[from.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = (byte) from[i];
            }
            device.upload(HeapStorage.of(values), storage);
        }
        return new View(storage, Layout.contiguous(tensor.shape()));
    }

    private static View empty(PanagradDevice device, Shape shape) {
        return new View(device.allocate(DType.F32, shape.size()), Layout.contiguous(shape));
    }

    /// Hides the first keys, one in the middle and, of the second sequence, the last ones.
    private static Tensor padding(int s) {
        int[] seen = new int[BATCH * s];
        for (int i = 0; i < seen.length; i++) {
            int key = i % s;
            boolean hidden = key < 5 || key == 20 || (i >= s && key > s - 15);
            seen[i] = hidden ? 0 : 1;
        }
        return Ops.indices(seen, BATCH, s).to(DType.BOOL);
    }

    private static void compare(PanagradDevice device, View actual, Tensor expected) {
        var back = HeapStorage.allocate(DType.F32, actual.storage().length());
        device.download((DeviceStorage) actual.storage(), back);
        double[] wanted = expected.toDoubles();
        double scale = 1;
        for (double value : wanted) {
            if (value > -1e29) {
                scale = Math.max(scale, Math.abs(value));
            }
        }
        for (int i = 0; i < wanted.length; i++) {
            if (wanted[i] > -1e29) {
                assertThat((double) back.floats()[i])
                        .as("element %d", i)
                        .isCloseTo(wanted[i], within(TOLERANCE * scale));
            } else {
                assertThat(back.floats()[i]).isLessThan(-1e29f);
            }
        }
    }
}
