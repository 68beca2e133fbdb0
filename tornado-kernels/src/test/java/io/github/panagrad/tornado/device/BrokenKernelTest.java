package io.github.panagrad.tornado.device;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

class BrokenKernelTest {
    /// What no device can compile: left alone, TornadoVM would run it on the host, on the wrong data.
    private static void kBroken(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        f.set(p.get(0), Math.fma(f.get(p.get(0)), r.get(0), r.get(1)));
    }

    @Test
    void failsByName() {
        var device =
                new PanagradDevice(
                        new Device("tornado", 0), TornadoExecutionPlan.getDevice(0, 0), 8);
        Program broken = device.programs().add("broken", 64, BrokenKernelTest::kBroken);

        assertThatThrownBy(() -> broken.launch(64, new int[] {0}, 2f, 3f))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("kernel 'broken' failed");
    }
}
