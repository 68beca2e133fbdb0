package io.github.panagrad.tornado;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Rng;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/// That the runs which are to have all operands in far arrays do have them there.
@EnabledIfSystemProperty(
        named = "panagrad.tornado.crowded",
        matches = "true",
        disabledReason = "memory is not short in this run")
class CrowdedDeviceTest {
    private static final int ROWS = 40;

    @Test
    void operandsLieFarWhileAKernelRuns() {
        Tensor x = Ops.randn(Rng.of(1), ROWS, ROWS);
        Tensor there = x.to(OnDevice.DEVICE);
        long before = Devices.get(OnDevice.DEVICE).memory().farBytes();
        Tensor y = there.transpose().mul(2);

        assertThat(Devices.get(OnDevice.DEVICE).memory().farBytes())
                .isGreaterThanOrEqualTo(before + 2L * ROWS * ROWS * 4);
        assertThat(y.toFloats()).isEqualTo(x.transpose().mul(2).toFloats());
    }
}
