package io.github.panagrad.tornado.device;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DeviceMemoryHintTest {
    @Test
    void namesTheLimitOnlyWhereItIsReached() {
        assertThat(DeviceMemory.hint(4L * PanagradDevice.MOST, 3))
                .contains("2^31 - 1")
                .contains("BF16");
        assertThat(DeviceMemory.hint(1 << 28, 0))
                .contains(PanagradDevice.MEMORY)
                .doesNotContain("2^31");
    }
}
