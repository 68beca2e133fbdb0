package io.github.panagrad.tornado.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.HeapStorage;
import io.github.panagrad.engine.ground.Storage;
import io.github.panagrad.tornado.TornadoBackend;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// What a launch sends, and that launches which are not waited for keep apart.
class LaunchTest {
    private static final int LOCAL = 64;
    private static final int LAUNCHES = 500;
    private static final int N = 4096;

    private static PanagradDevice device;
    private static Program withFloats;
    private static Program withoutFloats;

    @BeforeAll
    static void open() {
        // makes the settings that TornadoVM reads as it starts
        assertThat(new TornadoBackend().unavailable()).isEmpty();
        device =
                new PanagradDevice(
                        new Device("tornado", 0), TornadoExecutionPlan.getDevice(0, 0), 16);
        withFloats = device.programs().add("withFloats", LOCAL, LaunchTest::kWithFloats);
        withoutFloats = device.programs().add("withoutFloats", LOCAL, LaunchTest::kWithoutFloats);
    }

    private static float[] values(DeviceStorage storage) {
        Storage back = HeapStorage.allocate(DType.F32, storage.length());
        device.download(storage, back);
        return Arrays.copyOf(back.floats(), (int) storage.length());
    }

    @Test
    void floatsAreSentToKernelsThatHaveThemOnly() {
        Programs programs = device.programs();
        long launches = programs.launches();
        long sent = programs.arraysSent();

        withoutFloats.launch(1, new int[] {1, 0, 0});
        assertThat(programs.arraysSent()).isEqualTo(sent + 1);
        withFloats.launch(1, new int[] {1, 0}, 2f);
        assertThat(programs.arraysSent()).isEqualTo(sent + 3);
        assertThat(programs.launches()).isEqualTo(launches + 2);
    }

    @Test
    void floatsForAKernelWithoutAreRefused() {
        assertThatThrownBy(() -> withoutFloats.launch(1, new int[] {1, 0, 0}, 2f))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("withoutFloats takes 0 floats")
                .hasMessageContaining("handed 1");
    }

    /// The host is ahead of the device by then: what is sent must not be written over.
    @Test
    void launchesKeepTheirNumbersThoughNoneIsWaitedFor() {
        DeviceStorage to = device.allocate(DType.F32, LAUNCHES * N);
        for (int i = 0; i < LAUNCHES; i++) {
            withFloats.launch(N, new int[] {N, to.at() + i * N}, i);
            withoutFloats.launch(N, new int[] {N, to.at() + i * N, i});
        }

        float[] values = values(to);
        for (int i = 0; i < values.length; i++) {
            int launch = i / N;
            assertThat(values[i]).as("element " + i).isEqualTo(2f * launch);
        }
        to.release("test");
    }

    @Test
    void launchesFollowEachOther() {
        DeviceStorage to = device.allocate(DType.F32, N);
        withFloats.launch(N, new int[] {N, to.at()}, 0f);
        for (int i = 0; i < LAUNCHES; i++) {
            withoutFloats.launch(N, new int[] {N, to.at(), 1});
        }
        device.finish();

        assertThat(values(to)).containsOnly(LAUNCHES);
        to.release("test");
    }

    // p: n, to; r: the value

    private static void kWithFloats(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            f.set(p.get(1) + i, r.get(0));
        }
    }

    // p: n, at, what is added

    private static void kWithoutFloats(KernelContext c, FloatArray f, IntArray n, IntArray p) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            f.set(p.get(1) + i, f.get(p.get(1) + i) + p.get(2));
        }
    }
}
