package io.github.panagrad.tornado.device;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// A kernel on a device with far arrays: operands that lie far come near for the time that it runs,
/// and what it has written to goes back.
///
/// Of a far operand what lies between the first and the last element that the op sees is copied: 8
/// bytes of traffic an element, and as many again if it is written to.
///
/// @param kernel what reaches near memory only
record NearOperands<O>(PanagradDevice device, Kernel<O> kernel) implements Kernel<O> {
    @Override
    public void run(O op, View[] in, View[] out) {
        // no other thread may move anything between the look at a place and the launch
        synchronized (device) {
            device.beforeKernel();
            Map<DeviceStorage, Copy> copies = bring(in, out);
            try {
                kernel.run(op, near(in, copies), near(out, copies));
                for (View view : out) {
                    Copy copy = copies.get(storage(view));
                    if (copy != null) {
                        device.store(copy.near, copy.far, copy.first, copy.length);
                    }
                }
            } finally {
                letGo(copies);
            }
        }
    }

    /// Brings operands near. What is near already may leave no gap that is long enough: then
    /// everything moves away first.
    private Map<DeviceStorage, Copy> bring(View[] in, View[] out) {
        try {
            return tryToBring(in, out);
        } catch (PanagradException full) {
            device.memory().moveAll();
            return tryToBring(in, out);
        }
    }

    private Map<DeviceStorage, Copy> tryToBring(View[] in, View[] out) {
        var spans = new IdentityHashMap<DeviceStorage, Span>();
        var operands = new ArrayList<DeviceStorage>();
        note(in, operands, spans);
        note(out, operands, spans);
        device.memory().pin(operands);
        var copies = new IdentityHashMap<DeviceStorage, Copy>();
        try {
            spans.forEach((far, span) -> copies.put(far, Copy.of(device, far, span)));
            return copies;
        } catch (PanagradException full) {
            letGo(copies);
            throw full;
        }
    }

    private void letGo(Map<DeviceStorage, Copy> copies) {
        copies.values().forEach(copy -> copy.near.release("the op"));
        device.memory().unpin();
    }

    @Override
    public boolean acceptsStrides(int i) {
        return kernel.acceptsStrides(i);
    }

    @Override
    public boolean acceptsStored(int i) {
        return kernel.acceptsStored(i);
    }

    @Override
    public String name() {
        return kernel.name();
    }

    private static DeviceStorage storage(View view) {
        return (DeviceStorage) view.storage();
    }

    private static void note(
            View[] views, List<DeviceStorage> operands, Map<DeviceStorage, Span> spans) {
        for (View view : views) {
            DeviceStorage storage = storage(view);
            operands.add(storage);
            if (storage.isFar()) {
                spans.computeIfAbsent(storage, far -> new Span()).include(view.layout());
            }
        }
    }

    private static View[] near(View[] views, Map<DeviceStorage, Copy> copies) {
        View[] near = views.clone();
        for (int i = 0; i < near.length; i++) {
            Copy copy = copies.get(storage(near[i]));
            near[i] = copy == null ? near[i] : copy.view(near[i].layout());
        }
        return near;
    }

    /// From the first to the last element of a storage that an op sees.
    private static final class Span {
        private long first = Long.MAX_VALUE;
        private long end;

        void include(Layout layout) {
            if (layout.shape().size() == 0) {
                return;
            }
            long low = layout.offset();
            long high = low;
            for (int d = 0; d < layout.shape().rank(); d++) {
                long reach = (layout.shape().dim(d) - 1) * layout.stride(d);
                low += Math.min(0, reach);
                high += Math.max(0, reach);
            }
            first = Math.min(first, low);
            end = Math.max(end, high + 1);
        }
    }

    /// The near copy of a span of a far storage, shared by all views of it.
    private record Copy(DeviceStorage far, int first, int length, DeviceStorage near) {
        static Copy of(PanagradDevice device, DeviceStorage far, Span span) {
            int first = (int) Math.min(span.first, span.end);
            int length = (int) span.end - first;
            DeviceStorage near = device.allocate(DType.F32, length);
            device.load(far, first, near, length);
            return new Copy(far, first, length, near);
        }

        View view(Layout layout) {
            long[] strides = new long[layout.shape().rank()];
            for (int d = 0; d < strides.length; d++) {
                strides[d] = layout.stride(d);
            }
            long offset = Math.max(0, layout.offset() - first);
            return new View(near, Layout.of(layout.shape(), strides, offset));
        }
    }
}
