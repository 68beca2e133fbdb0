package io.github.panagrad.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.engine.spi.DeviceLimits;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DeviceMemoryTest {
    private static final Device DEVICE = new Device(TornadoBackend.NAME, 0);

    private static long usedBytes() {
        return Backends.of(DEVICE).statistics(DEVICE).orElseThrow().usedBytes();
    }

    private static float[] numbers(int n) {
        var random = new Random(n);
        float[] numbers = new float[n];
        for (int i = 0; i < n; i++) {
            numbers[i] = random.nextFloat();
        }
        return numbers;
    }

    @Test
    void tensorsComeBackAsTheyWent() {
        for (int n : new int[] {1, 1000, 1024, 1025, 40_000, 1_500_001}) {
            float[] there = numbers(n);

            assertThat(Ops.tensor(there, n).to(DEVICE).toFloats()).isEqualTo(there);
        }
        assertThat(Ops.indices(new int[] {3, -1, Integer.MAX_VALUE}, 3).to(DEVICE).toInts())
                .containsExactly(3, -1, Integer.MAX_VALUE);
    }

    @Test
    void viewsComeBackAsViews() {
        Tensor x = Ops.tensor(numbers(35), 5, 7).to(DEVICE);

        assertThat(x.narrow(0, 2, 2).to(Device.CPU).toFloats())
                .isEqualTo(x.to(Device.CPU).narrow(0, 2, 2).toFloats());
        assertThat(x.transpose().toFloats()).isEqualTo(x.to(Device.CPU).transpose().toFloats());
        assertThat(x.at(3, 4)).isEqualTo(x.to(Device.CPU).at(3, 4));
    }

    @Test
    void scopesGiveMemoryBack() {
        Tensor x = Ops.tensor(numbers(5000), 5000).to(DEVICE);
        long before = usedBytes();
        for (int i = 0; i < 100; i++) {
            Ops.scope(() -> {
                x.mul(2).exp();
            });
        }

        assertThat(usedBytes()).isEqualTo(before);
    }

    @Test
    void whatNothingRefersToIsCollectedWhereMemoryIsShort() {
        // twice what the device has; without a scope only the collector can give it back
        assertThatCode(
                        () -> {
                            for (int i = 0; i < 50; i++) {
                                Ops.zeros(10_000_000).to(DEVICE);
                            }
                        })
                .doesNotThrowAnyException();
    }

    @Test
    void saysWhatTakesTheMemory() {
        Tensor large = Ops.zeros(1 << 20).to(DEVICE);

        assertThatThrownBy(() ->
                        Devices.get(DEVICE)
                                .memory()
                                .allocate(large.dtype(), Integer.MAX_VALUE - 100L))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("out of memory")
                .hasMessageContaining("f32[1048576]")
                .hasMessageContaining("panagrad.tornado.memory");
    }

    @Test
    void measuringTheLimitsLeavesNothingBehind() {
        long before = usedBytes();
        DeviceLimits limits = Backends.of(DEVICE).limits(DEVICE).orElseThrow();

        assertThat(limits.flops()).isBetween(1e6, 1e16);
        assertThat(limits.bytesPerSecond()).isBetween(1e6, 1e14);
        assertThat(usedBytes()).isLessThanOrEqualTo(before);
    }

    @Test
    void namesTheDevicesThereAre() {
        assertThatThrownBy(() -> Ops.zeros(3).to(new Device(TornadoBackend.NAME, 99)))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("no such device")
                .hasMessageContaining("GiB");
    }
}
