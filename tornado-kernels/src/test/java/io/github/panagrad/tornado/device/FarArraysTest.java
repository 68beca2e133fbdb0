package io.github.panagrad.tornado.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.HeapStorage;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.Storage;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/// A device with a near array and three far ones, of which each holds four tensors.
class FarArraysTest {
    private static final int LENGTH = 1 << 14;
    private static final int ARRAY = RangeAllocator.FIRST + 4 * LENGTH;
    private static final int MEGABYTES = 2;

    private static PanagradDevice device;
    private static Kernel<Object> addOne;

    private final List<DeviceStorage> held = new ArrayList<>();

    @BeforeAll
    static void open() {
        device =
                new PanagradDevice(
                        new Device("tornado", 0),
                        TornadoExecutionPlan.getDevice(0, 0),
                        MEGABYTES,
                        ARRAY);
        Program program = device.programs().add("addOne", 64, FarArraysTest::kAddOne);
        addOne =
                device.ready((op, in, out) -> {
                    int[] numbers = {in[0].size(), place(in[0]), place(out[0])};
                    program.launch(in[0].size(), numbers);
                });
    }

    private static int place(View view) {
        return ((DeviceStorage) view.storage()).at() + view.offset();
    }

    private static void kAddOne(
            KernelContext c, FloatArray f, IntArray n, IntArray p, FloatArray r) {
        int i = c.globalIdx;
        if (i < p.get(0)) {
            f.set(p.get(2) + i, f.get(p.get(1) + i) + 1f);
        }
    }

    @AfterEach
    void giveBack() {
        held.forEach(storage -> storage.release("test"));
        assertThat(device.usedBytes()).isZero();
    }

    private DeviceStorage numbered(int number, int length) {
        DeviceStorage storage = device.allocate(DType.F32, length);
        held.add(storage);
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = number * LENGTH + i;
        }
        device.upload(HeapStorage.of(values), storage);
        return storage;
    }

    private static float[] values(DeviceStorage storage) {
        Storage back = HeapStorage.allocate(DType.F32, storage.length());
        device.download(storage, back);
        float[] values = new float[(int) storage.length()];
        System.arraycopy(back.floats(), 0, values, 0, values.length);
        return values;
    }

    private static View view(DeviceStorage storage, int from, int length) {
        return new View(storage, Layout.of(Shape.of(length), new long[] {1}, from));
    }

    @Test
    void oldTensorsMoveAndKeepTheirValues() {
        for (int k = 0; k < 12; k++) {
            numbered(k, LENGTH);
        }

        assertThat(device.farBytes()).isEqualTo(8L * LENGTH * 4);
        assertThat(held.stream().map(s -> s.block().array).distinct()).contains(0, 1, 2);
        for (int k = 0; k < 12; k++) {
            assertThat(held.get(k).isFar()).isEqualTo(k < 8);
            float[] values = values(held.get(k));
            for (int i = 0; i < LENGTH; i++) {
                assertThat(values[i]).isEqualTo(k * LENGTH + i);
            }
        }
    }

    @Test
    void elementsOfFarTensorsAreReadAndWritten() {
        for (int k = 0; k < 5; k++) {
            numbered(k, LENGTH);
        }
        DeviceStorage far = held.getFirst();
        far.setDouble(7, 0.5);

        assertThat(far.isFar()).isTrue();
        assertThat(far.getDouble(6)).isEqualTo(6);
        assertThat(far.getDouble(7)).isEqualTo(0.5);
        assertThat(far.getDouble(8)).isEqualTo(8);
        device.upload(HeapStorage.of(new float[LENGTH]), far);
        assertThat(values(far)).containsOnly(0f);
    }

    @Test
    void kernelsSeeViewsOfFarTensorsAndWriteToThem() {
        for (int k = 0; k < 12; k++) {
            numbered(k, LENGTH);
        }
        DeviceStorage from = held.get(0);
        DeviceStorage to = held.get(7);
        View[] in = {view(from, 100, 50)};
        addOne.run("op", in, new View[] {view(to, 30, 50)});
        // in place, through two views of one storage that overlap in no element
        addOne.run("op", new View[] {view(from, 500, 50)}, new View[] {view(from, 10, 50)});

        float[] target = values(to);
        assertThat(target[29]).isEqualTo(7 * LENGTH + 29);
        assertThat(target[30]).isEqualTo(101);
        assertThat(target[79]).isEqualTo(150);
        assertThat(target[80]).isEqualTo(7 * LENGTH + 80);
        float[] source = values(from);
        assertThat(source[9]).isEqualTo(9);
        assertThat(source[10]).isEqualTo(501);
        assertThat(source[59]).isEqualTo(550);
        assertThat(source[60]).isEqualTo(60);
        assertThat(source[500]).isEqualTo(500);
        assertThat(from.isFar() && to.isFar()).isTrue();
    }

    @Test
    void operandsThatLieInTheWayOfOthersMoveToo() {
        DeviceStorage large = numbered(0, 3 * LENGTH);
        DeviceStorage last = numbered(1, LENGTH);
        DeviceStorage first = numbered(2, LENGTH);
        DeviceStorage between = numbered(3, LENGTH);
        first.release("test");
        last.release("test");
        held.remove(first);
        held.remove(last);
        assertThat(large.isFar()).isTrue();
        assertThat(between.block().at).isEqualTo(RangeAllocator.FIRST + LENGTH);
        View all = view(large, 0, 3 * LENGTH);
        addOne.run("op", new View[] {all, view(between, 0, LENGTH)}, new View[] {all});

        float[] values = values(large);
        for (int i = 0; i < values.length; i++) {
            assertThat(values[i]).isEqualTo(i + 1);
        }
        assertThat(values(between)[5]).isEqualTo(3 * LENGTH + 5);
    }

    @Test
    void saysWhenAllArraysAreFull() {
        for (int k = 0; k < 16; k++) {
            numbered(k, LENGTH);
        }

        assertThatThrownBy(() -> numbered(16, LENGTH))
                .isInstanceOf(PanagradException.class)
                .hasMessageContaining("1 of 1 MB are taken");
        assertThat(values(held.getFirst())[3]).isEqualTo(3);
    }
}
