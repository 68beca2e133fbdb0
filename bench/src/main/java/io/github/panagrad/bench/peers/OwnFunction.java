package io.github.panagrad.bench.peers;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Pool;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A function with the gradients of its inputs, in a scope as a training step has one.
abstract class OwnFunction implements Side {
    private final List<Tensor> inputs;
    private final @Nullable Tensor dy;

    /// @param inputs leaves that gradients are wanted of
    /// @param dy gradient of the result; null if it is a scalar
    OwnFunction(List<Tensor> inputs, @Nullable Tensor dy) {
        this.inputs = inputs;
        this.dy = dy;
    }

    /// Makes a leaf that gradients are wanted of.
    static Tensor leaf(String name, float[] values, int... shape) {
        return Ops.parameter(name, Ops.tensor(values, shape));
    }

    abstract Tensor forward();

    private List<Tensor> backward(Tensor y) {
        return dy == null ? Ops.grad(y, inputs, false) : Ops.grad(y, dy, inputs, false);
    }

    @Override
    public void run() {
        Ops.scope(() -> {
            backward(forward());
        });
    }

    @Override
    public List<float[]> results() {
        var results = new ArrayList<float[]>();
        Ops.scope(() -> {
            Tensor y = forward();
            results.add(y.toFloats());
            backward(y).forEach(grad -> results.add(grad.toFloats()));
        });
        return results;
    }

    /// What the pool takes for a run, which it keeps, and what a later run allocates beside it.
    @Override
    public long extraBytes() {
        Pool.floats().trim();
        long pooled = Pool.floats().freshBytes();
        run();
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        run();
        long beside = threads.getCurrentThreadAllocatedBytes() - before;
        return Pool.floats().freshBytes() - pooled + beside;
    }
}
