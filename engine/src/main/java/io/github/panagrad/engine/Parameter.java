package io.github.panagrad.engine;

import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.op.Cast;
import io.github.panagrad.engine.spi.Backends;
import io.github.panagrad.engine.tape.Edge;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Tape;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A named leaf whose values change: what an optimizer trains. The only mutable tensor.
///
/// Every change counts up [#version], which backward checks.
public final class Parameter extends Tensor {
    private String name;
    private final Edge leaf;
    private boolean trainable;
    private long version;

    /// Creates a parameter over a tensor's memory, which is kept out of all scopes.
    ///
    /// It is trainable if its dtype is one that ops compute in.
    public Parameter(String name, Tensor values) {
        Tensor dense = values.detach().contiguous();
        super(dense.storage(), dense.layout(), dense.device(), null);
        this.name = name;
        this.leaf = new Edge(new Node(spec(), device()), 0);
        this.trainable = dtype().isCompute();
        Scope.keep(storage());
    }

    /// Returns the name, by which optimizers and files know the parameter.
    public String name() {
        return name;
    }

    /// Renames the parameter: what a module does once it knows the path that it has in the model.
    public void rename(String newName) {
        this.name = newName;
    }

    /// Tells whether gradients are computed for it.
    public boolean isTrainable() {
        return trainable;
    }

    /// Freezes or unfreezes the parameter; ops applied from now on heed it.
    ///
    /// @throws ShapeException if a parameter of a storage type such as BF16 is to be trained
    public Parameter trainable(boolean on) {
        if (on && !dtype().isCompute()) {
            throw new ShapeException(
                    "parameter " + name,
                    "cannot train in a storage type",
                    dtype().label(),
                    "f32",
                    "replace it by its f32 copy first: p.replace(p.to(DType.F32))");
        }
        this.trainable = on;
        return this;
    }

    @Override
    public @Nullable Edge edge() {
        return trainable ? leaf : null;
    }

    /// Returns the key under which [Grads] holds this parameter's gradient.
    Edge leaf() {
        return leaf;
    }

    /// Returns how often the values were changed.
    public long version() {
        return version;
    }

    /// Overwrites the values, converted to the parameter's dtype.
    ///
    /// Shapes: that of the parameter.
    public void assign(Tensor values) {
        if (!values.shape().equals(shape())) {
            throw new ShapeException(
                    "assign to parameter " + name,
                    "shapes differ",
                    values.spec().toString(),
                    spec().toString(),
                    "");
        }
        Tensor source = values.detach().to(device());
        if (source.storage() == storage()) {
            source = source.copy();
        }
        Tape.into(new Cast(dtype()), new Tensor[] {source}, this);
        version++;
    }

    /// Runs an op whose results overwrite this parameter and, after it, `state`.
    ///
    /// How optimizers update in place; `in` may hold the parameter and the state themselves.
    public void update(Op op, Tensor[] in, Tensor... state) {
        Tensor[] out = new Tensor[state.length + 1];
        out[0] = this;
        System.arraycopy(state, 0, out, 1, state.length);
        Tape.into(op, in, out);
        version++;
    }

    /// Moves the values to another device, widened to F32 where that holds no weights of their type.
    ///
    /// An optimizer's state does not move with them: make the optimizer afterwards.
    ///
    /// @throws ShapeException if the device cannot hold them even then
    public void moveTo(Device target) {
        if (target.equals(device())) {
            return;
        }
        Tensor values = detach();
        if (!Backends.of(target).holds(dtype())) {
            if (dtype().isBlock()) {
                throw new ShapeException(
                        "move parameter " + name,
                        "the device holds no weights in blocks",
                        spec() + " to " + target,
                        "f32",
                        "load the model without quantising it");
            }
            values = values.to(dtype().widened());
        }
        boolean trained = trainable;
        replace(values.to(target));
        trainable = trained;
    }

    /// Takes over another tensor's memory, perhaps of another dtype, and freezes it if ops cannot
    /// compute in that.
    ///
    /// Shapes: that of the parameter.
    public void replace(Tensor values) {
        if (!values.shape().equals(shape())) {
            throw new ShapeException(
                    "replace parameter " + name,
                    "shapes differ",
                    values.spec().toString(),
                    spec().toString(),
                    "");
        }
        Tensor dense = values.detach().contiguous();
        rebind(dense.storage(), dense.layout(), dense.device());
        Scope.keep(storage());
        trainable &= dtype().isCompute();
        version++;
    }

    /// Runs a body while parameters have other values, and gives them their own back as if nothing had
    /// been: what was recorded before stays valid, and nothing is recorded meanwhile.
    ///
    /// @param values contiguous tensors that no scope releases, of their parameters' types, shapes
    ///     and devices
    public static <T extends @Nullable Object> T lend(
            Map<Parameter, ? extends Tensor> values, Supplier<T> body) {
        var own = new LinkedHashMap<Parameter, Tensor>();
        values.forEach((parameter, value) -> {
            if (!value.spec().equals(parameter.spec())
                    || !value.device().equals(parameter.device())
                    || !value.layout().isContiguous()) {
                throw new ShapeException(
                        "lend to parameter " + parameter.name,
                        "values do not fit",
                        value.spec() + " on " + value.device(),
                        parameter.spec() + " on " + parameter.device() + ", contiguous",
                        "");
            }
            own.put(parameter, parameter.detach());
        });
        values.forEach((p, v) -> p.rebind(v.storage(), v.layout(), v.device()));
        try {
            return Ops.noGrad(body);
        } finally {
            own.forEach((p, v) -> p.rebind(v.storage(), v.layout(), v.device()));
        }
    }
}
