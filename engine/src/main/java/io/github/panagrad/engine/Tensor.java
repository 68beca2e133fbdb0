package io.github.panagrad.engine;

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
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Backward;
import io.github.panagrad.engine.tape.Edge;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Tape;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An immutable n-dimensional array that remembers how it was computed.
///
/// Arithmetic and shape methods are in [TensorMath]; more functions are in [Ops]. Views (reshape,
/// permute, slice, …) share memory with what they were taken from.
public sealed class Tensor extends TensorMath permits Parameter {
    private Storage storage;
    private Layout layout;
    private Device device;
    private final @Nullable Edge edge;

    /// Makes a tensor of its parts; for ops and backends. Users start from [Ops#tensor].
    public Tensor(Storage storage, Layout layout, Device device, @Nullable Edge edge) {
        this.storage = storage;
        this.layout = layout;
        this.device = device;
        this.edge = edge;
    }

    @Override
    Tensor self() {
        return this;
    }

    /// Returns the extents.
    public Shape shape() {
        return layout.shape();
    }

    /// Returns the number of dimensions.
    public int rank() {
        return layout.shape().rank();
    }

    /// Returns the extent of one dimension; negative counts from the end.
    public int dim(int dim) {
        return layout.shape().dim(dim);
    }

    /// Returns the number of elements.
    public long size() {
        return layout.shape().size();
    }

    /// Returns the memory that the elements take in their dtype, in bytes; what a view leaves out
    /// does not count.
    public long byteSize() {
        long length = storage.length();
        return length == 0 ? 0 : Math.round((double) storage.byteSize() / length * size());
    }

    /// Returns the element type.
    public DType dtype() {
        return storage.dtype();
    }

    /// Returns the shape and dtype.
    public Spec spec() {
        return new Spec(shape(), dtype());
    }

    /// Returns where the tensor lives.
    public Device device() {
        return device;
    }

    /// Returns the memory behind the tensor; for ops and backends.
    public Storage storage() {
        return storage;
    }

    /// Returns how the tensor lies in its memory; for ops and backends.
    public Layout layout() {
        return layout;
    }

    /// Returns what kernels see of the tensor.
    public View view() {
        return new View(storage, layout);
    }

    /// Returns where the tensor came from, or null if no gradient flows through it.
    public @Nullable Edge edge() {
        return edge;
    }

    /// Replaces the memory; only a [Parameter] may.
    void rebind(Storage storage, Layout layout, Device device) {
        this.storage = storage;
        this.layout = layout;
        this.device = device;
    }

    // Differentiation

    /// Computes the gradients of this scalar with respect to every leaf it depends on.
    ///
    /// The graph is consumed: memory that it kept goes back as the walk proceeds.
    ///
    /// @throws PanagradException if this is no scalar, or nothing in its history needs a gradient
    public Grads backward() {
        if (size() != 1) {
            throw new ShapeException(
                    "backward",
                    "not a scalar",
                    spec().toString(),
                    "one element",
                    "reduce it with sum() or mean(), or give its gradient: backward(dy)");
        }
        return new Grads(walk(Ops.ones(dtype(), shape()).to(device)));
    }

    /// Computes the gradients with respect to every leaf, given the gradient of this tensor.
    ///
    /// Shapes: dy has this tensor's shape.
    public Grads backward(Tensor dy) {
        Map<Edge, Tensor> grads = walk(dy);
        // A gradient that is dy itself, passed on by additions, stays the caller's.
        grads.replaceAll((leaf, grad) -> grad.storage() == dy.storage() ? grad.copy() : grad);
        return new Grads(grads);
    }

    private Map<Edge, Tensor> walk(Tensor dy) {
        requireHistory("backward");
        return Backward.walk(Map.of(this, dy), null, false, false);
    }

    void requireHistory(String op) {
        if (edge() == null) {
            throw new PanagradException(
                    op,
                    "nothing that this tensor was computed from needs a gradient",
                    spec().toString(),
                    "a parameter, or a tensor from requireGrad(), in its history",
                    "look for noGrad or detach, or frozen parameters");
        }
    }

    /// Returns a leaf with the same memory that gradients are computed for.
    public Tensor requireGrad() {
        if (!dtype().isCompute()) {
            throw new ShapeException(
                    "requireGrad",
                    "gradients need a compute type",
                    spec().toString(),
                    "f32 or f64",
                    "convert it with to(DType.F32)");
        }
        return new Tensor(storage, layout, device, new Edge(new Node(spec(), device), 0));
    }

    /// Returns the same values without history: a constant to backward.
    public Tensor detach() {
        return new Tensor(storage, layout, device, null);
    }

    /// Tells whether gradients flow through this tensor.
    public boolean requiresGrad() {
        return edge() != null;
    }

    /// Takes the tensor's memory out of the open scopes: it lives as long as it is used.
    public Tensor keep() {
        Scope.keep(storage);
        Edge from = edge();
        if (from != null) {
            Scope.keep(from.node());
        }
        return this;
    }

    // Conversions and reading

    /// Converts to another dtype; returns this tensor if it has it already.
    public Tensor to(DType dtype) {
        return dtype == dtype() ? this : Tape.one(new Cast(dtype), this);
    }

    /// Copies to another device, without history; returns this tensor if it is there already.
    public Tensor to(Device target) {
        if (target.equals(device)) {
            return this;
        }
        Backend source = Backends.of(device);
        Backend sink = Backends.of(target);
        if (source.isHost() && sink.isHost()) {
            return new Tensor(storage, layout, target, null);
        }
        Storage whole = isWhole() ? storage : copy().storage;
        Tensor copy = Tape.allocate(dtype(), shape(), target);
        if (source.isHost()) {
            sink.upload(whole, copy.storage);
        } else {
            source.download(whole, copy.storage);
        }
        return copy;
    }

    /// Tells whether the elements are all that the memory holds, row by row.
    private boolean isWhole() {
        return layout.isContiguous() && layout.offset() == 0 && storage.length() == size();
    }

    /// Copies the values, row by row.
    public Tensor copy() {
        return Tape.one(new Cast(dtype()), this);
    }

    /// Returns the same values laid out row by row, this tensor if it is already.
    public Tensor contiguous() {
        return layout.isContiguous() ? this : copy();
    }

    /// Returns the value of a tensor of one element.
    public double item() {
        if (size() != 1) {
            throw new ShapeException(
                    "item", "more than one element", spec().toString(), "one element", "");
        }
        return host().get(0);
    }

    /// Returns the element at the given indices, one a dimension.
    public double at(int... index) {
        long logical = 0;
        if (index.length != rank()) {
            throw new ShapeException(
                    "at",
                    "wrong number of indices",
                    Integer.toString(index.length),
                    Integer.toString(rank()),
                    "");
        }
        for (int i = 0; i < index.length; i++) {
            if (index[i] < 0 || index[i] >= dim(i)) {
                throw new ShapeException(
                        "at",
                        "index out of range",
                        index[i] + " in dimension " + i,
                        "0 to " + (dim(i) - 1),
                        "");
            }
            logical = logical * dim(i) + index[i];
        }
        return host().get(logical);
    }

    /// Returns the values row by row, as floats.
    public float[] toFloats() {
        View host = host();
        float[] values = new float[host.size()];
        if (dtype() == DType.F32 && host.isContiguous()) {
            System.arraycopy(host.floats(), host.offset(), values, 0, values.length);
            return values;
        }
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) host.get(i);
        }
        return values;
    }

    /// Returns the values row by row, as doubles.
    public double[] toDoubles() {
        View host = host();
        double[] values = new double[host.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = host.get(i);
        }
        return values;
    }

    /// Returns the values row by row, as ints.
    public int[] toInts() {
        View host = host();
        int[] values = new int[host.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (int) host.getLong(i);
        }
        return values;
    }

    private View host() {
        storage.requireAlive();
        return Backends.of(device).isHost() ? view() : to(Device.CPU).view();
    }

    /// Returns dtype, shape, device, origin and the first values, as
    /// `tensor f32[2,3] cpu, grad_fn=silu [[…], […]]`.
    @Override
    public String toString() {
        return TensorPrinter.print(this);
    }
}
