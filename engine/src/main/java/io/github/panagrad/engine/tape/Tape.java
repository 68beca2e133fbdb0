package io.github.panagrad.engine.tape;

import io.github.panagrad.engine.Scope;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.BlockStorage;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.ground.Storage;
import io.github.panagrad.engine.op.Cast;
import io.github.panagrad.engine.spi.Backend;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Applies ops: checks the operands, finds the kernel, runs it, records the node.
///
/// The one way from tensors to kernels.
public final class Tape {
    private static final ScopedValue<Boolean> RECORDING = ScopedValue.newInstance();

    private Tape() {}

    /// Tells whether ops applied now are recorded for backward.
    public static boolean isRecording() {
        return RECORDING.orElse(true);
    }

    /// Runs `body` with recording switched on or off.
    public static <T extends @Nullable Object> T recording(boolean on, Supplier<T> body) {
        if (isRecording() == on) {
            return body.get();
        }
        return ScopedValue.where(RECORDING, on).call(body::get);
    }

    /// Applies an op with one result.
    public static Tensor one(Op op, Tensor... in) {
        return apply(op, in)[0];
    }

    /// Applies an op.
    ///
    /// @throws ShapeException if the operands do not fit it or lie on different devices
    public static Tensor[] apply(Op op, Tensor... in) {
        Device device = commonDevice(op, in);
        List<Spec> specs = op.infer(Arrays.stream(in).map(Tensor::spec).toList());
        Node node = isRecording() && differentiable(specs, in) ? new Node(op, in, specs) : null;
        if (node != null) {
            Scope.register(node);
        }
        Stretch stretch = Stretch.current();
        if (stretch != null) {
            stretch.reads(in);
            if (node != null) {
                stretch.makes(node);
            }
        }
        Tensor[] out;
        if (op instanceof ViewOp view) {
            Storage storage = in[0].storage();
            requireAlive(op, in[0].view());
            out =
                    new Tensor[] {
                        new Tensor(storage, view.view(in[0].layout()), device, edge(node, specs, 0))
                    };
        } else {
            out = compute(op, in, specs, device, node);
        }
        if (node != null) {
            node.saveOutputs(out);
        }
        return out;
    }

    private static Tensor[] compute(
            Op op, Tensor[] in, List<Spec> specs, Device device, @Nullable Node node) {
        Backend backend = Backends.of(device);
        View[] views = views(in);
        Kernel<Op> kernel = backend.kernel(op, views);
        if (kernel == null && op instanceof Fused fused) {
            Backends.ran(backend.name(), op.getClass(), "composed of plain ops");
            Tensor[] plain =
                    Scope.scope(op.name(), () -> recording(false, () -> fused.composed(in)));
            Tensor[] out = new Tensor[plain.length];
            for (int i = 0; i < out.length; i++) {
                out[i] =
                        new Tensor(
                                plain[i].storage(),
                                plain[i].layout(),
                                device,
                                edge(node, specs, i));
            }
            return out;
        }
        Tensor[] out = new Tensor[specs.size()];
        for (int i = 0; i < out.length; i++) {
            out[i] = allocate(specs.get(i), device, edge(node, specs, i));
        }
        run(op, device, kernel, views, views(out));
        return out;
    }

    /// Runs an op into existing memory, unrecorded: how parameters and optimizer state are updated.
    ///
    /// The result may share memory with an input of the same layout.
    public static void into(Op op, Tensor[] in, Tensor... out) {
        Device device = commonDevice(op, in);
        View[] views = views(in);
        run(op, device, Backends.of(device).kernel(op, views), views, views(out));
    }

    /// Tells whether the operands' backend has a kernel of its own for an op.
    public static boolean hasKernel(Op op, Tensor... in) {
        return Backends.of(in[0].device()).kernel(op, views(in)) != null;
    }

    private static void run(
            Op op, Device device, @Nullable Kernel<Op> kernel, View[] in, View[] out) {
        for (View view : in) {
            requireAlive(op, view);
        }
        Backend backend = Backends.of(device);
        if (kernel != null) {
            Backends.ran(backend.name(), op.getClass(), kernel.name());
            View[] fitted = new View[in.length];
            for (int i = 0; i < in.length; i++) {
                fitted[i] = fit(device, kernel, i, in[i]);
            }
            kernel.run(op, fitted, out);
            for (int i = 0; i < in.length; i++) {
                if (fitted[i] != in[i]) {
                    fitted[i].storage().release(op.name());
                }
            }
        } else if (backend.isHost()) {
            Backends.ran(backend.name(), op.getClass(), "reference");
            op.eval(in, out);
        } else {
            Backends.ran(backend.name(), op.getClass(), "reference, on the host");
            View[] hostIn = new View[in.length];
            for (int i = 0; i < in.length; i++) {
                hostIn[i] = onHost(backend, in[i], true);
            }
            View[] hostOut = new View[out.length];
            for (int i = 0; i < out.length; i++) {
                // What a view leaves out of its memory must come through.
                boolean part = out[i].storage().length() != out[i].shape().size();
                hostOut[i] = onHost(backend, out[i], part);
            }
            op.eval(hostIn, hostOut);
            for (int i = 0; i < out.length; i++) {
                backend.upload(hostOut[i].storage(), out[i].storage());
            }
        }
    }

    private static void requireAlive(Op op, View view) {
        String by = view.storage().releasedBy();
        if (by != null) {
            throw new PanagradException(
                    op.name(),
                    "operand used after release",
                    view.spec() + ", released by " + by,
                    "",
                    "return it from the scope or call keep() on it");
        }
    }

    private static View onHost(Backend backend, View view, boolean copy) {
        Storage host =
                Backends.of(Device.REFERENCE)
                        .allocate(Device.REFERENCE, view.dtype(), view.storage().length());
        if (copy) {
            backend.download(view.storage(), host);
        }
        return new View(host, view.layout());
    }

    private static View fit(Device device, Kernel<Op> kernel, int i, View in) {
        Backend backend = Backends.of(device);
        boolean widen = in.dtype().widened() != in.dtype() && !kernel.acceptsStored(i);
        if (!widen && (in.isContiguous() || kernel.acceptsStrides(i))) {
            return in;
        }
        DType dtype = widen ? in.dtype().widened() : in.dtype();
        // The result is private to this call, so no scope has to know of it.
        Storage storage = backend.allocate(device, dtype, in.shape().size());
        View fitted = new View(storage, Layout.contiguous(in.shape()));
        Op copy = new Cast(dtype);
        View[] source = {in};
        run(copy, device, backend.kernel(copy, source), source, new View[] {fitted});
        return fitted;
    }

    /// Allocates a tensor with undefined contents, owned by the innermost scope.
    static Tensor allocate(Spec spec, Device device, @Nullable Edge edge) {
        Backend backend = Backends.of(device);
        Storage storage =
                spec.dtype().isBlock()
                        ? blocks(spec, device, backend)
                        : backend.allocate(device, spec.dtype(), spec.shape().size());
        Scope.register(storage);
        return new Tensor(storage, Layout.contiguous(spec.shape()), device, edge);
    }

    private static Storage blocks(Spec spec, Device device, Backend backend) {
        if (!backend.isHost()) {
            throw new ShapeException(
                    "allocate",
                    "the device does not hold " + spec.dtype().label(),
                    spec + " on " + device,
                    "a device of the host",
                    "convert with to(DType.F32) first");
        }
        return BlockStorage.allocate(spec.dtype(), spec.shape());
    }

    /// Allocates a tensor with undefined contents, owned by the innermost scope.
    public static Tensor allocate(DType dtype, Shape shape, Device device) {
        return allocate(new Spec(shape, dtype), device, null);
    }

    private static @Nullable Edge edge(@Nullable Node node, List<Spec> specs, int i) {
        return node != null && specs.get(i).dtype().isFloating() ? new Edge(node, i) : null;
    }

    private static boolean differentiable(List<Spec> out, Tensor[] in) {
        boolean floating = false;
        for (Spec spec : out) {
            floating |= spec.dtype().isFloating();
        }
        if (floating) {
            for (Tensor t : in) {
                if (t.edge() != null) {
                    return true;
                }
            }
        }
        return false;
    }

    private static View[] views(Tensor[] tensors) {
        View[] views = new View[tensors.length];
        for (int i = 0; i < views.length; i++) {
            views[i] = tensors[i].view();
        }
        return views;
    }

    private static Device commonDevice(Op op, Tensor[] in) {
        Device device = in[0].device();
        for (Tensor t : in) {
            if (!t.device().equals(device)) {
                throw new ShapeException(
                        op.name(),
                        "operands on different devices",
                        device + " and " + t.device(),
                        "one device",
                        "move one of them with to(device)");
            }
        }
        return device;
    }
}
