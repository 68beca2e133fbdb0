package io.github.panagrad.tornado.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.HeapStorage;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.tornado.device.DeviceStorage;
import io.github.panagrad.tornado.device.PanagradDevice;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;

/// Products that other kernels ask for: parts of matrices, written or added to.
class MatrixProductTest {
    private static final int MEGABYTES = 16;
    private static final int GAP = 3;

    private static PanagradDevice device;
    private static MatMulKernels kernels;

    @BeforeAll
    static void open() {
        device =
                new PanagradDevice(
                        new Device("tornado", 0),
                        TornadoRuntimeProvider.getTornadoRuntime().getBackend(0).getDevice(0),
                        MEGABYTES);
        kernels = new MatMulKernels(device);
    }

    @ParameterizedTest
    @CsvSource({
        "70, 66, 40, false",
        "70, 66, 40, true",
        "2, 66, 40, true",
        "70, 3, 40, true",
        "70, 3, 40, false",
        "9, 20, 3000, false",
        "9, 20, 3000, true"
    })
    void multipliesPartsOfMatrices(int m, int n, int k, boolean add) {
        float[] a = random(m * (k + GAP));
        float[] b = random(n * k);
        float[] c = random(m * (n + GAP));
        DeviceStorage left = upload(a);
        DeviceStorage right = upload(b);
        DeviceStorage result = upload(c);
        kernels.product(
                new Matrix(left.at() + 1, m, k, k + GAP, 1),
                Matrix.contiguous(right.at(), n, k).transposed(),
                new Matrix(result.at() + 2, m, n, n + GAP, 1),
                add);
        var back = HeapStorage.allocate(DType.F32, c.length);
        device.download(result, back);
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double sum = add ? c[2 + i * (n + GAP) + j] : 0;
                for (int e = 0; e < k; e++) {
                    sum += (double) a[1 + i * (k + GAP) + e] * b[j * k + e];
                }
                assertThat((double) back.floats()[2 + i * (n + GAP) + j])
                        .as("element %d, %d", i, j)
                        .isCloseTo(sum, within(1e-6 * k));
            }
            // What lies between the rows stays as it is.
            for (int j = n; j < n + GAP && 2 + i * (n + GAP) + j < c.length; j++) {
                int at = 2 + i * (n + GAP) + j;
                assertThat(back.floats()[at]).isEqualTo(c[at]);
            }
        }
        left.release("test");
        right.release("test");
        result.release("test");
    }

    private static DeviceStorage upload(float[] values) {
        DeviceStorage storage = device.allocate(DType.F32, values.length);
        device.upload(HeapStorage.of(values), storage);
        return storage;
    }

    private static float[] random(int n) {
        Rng.Draw draw = Rng.of(7).draw();
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = draw.uniform(i) - 0.5f;
        }
        return values;
    }
}
