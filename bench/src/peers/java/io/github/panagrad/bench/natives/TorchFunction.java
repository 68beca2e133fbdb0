package io.github.panagrad.bench.natives;

import io.github.panagrad.bench.peers.ResidentMemory;
import io.github.panagrad.bench.peers.Side;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jspecify.annotations.Nullable;

/// A function with the gradients of its inputs: forward and backward once.
abstract class TorchFunction implements Side {
    private final List<Tensor> inputs;
    private final @Nullable Tensor dy;

    /// @param inputs leaves that gradients are wanted of
    /// @param dy gradient of the result; null if it is a scalar
    TorchFunction(List<Tensor> inputs, @Nullable Tensor dy) {
        this.inputs = inputs;
        this.dy = dy;
    }

    abstract Tensor forward();

    @Override
    public void run() {
        try (var _ = new PointerScope()) {
            Torch.grad(forward(), dy, inputs);
        }
    }

    @Override
    public List<float[]> results() {
        try (var _ = new PointerScope()) {
            Tensor y = forward();
            var results = new ArrayList<float[]>();
            results.add(Torch.floats(y));
            TensorVector grads = Torch.grad(y, dy, inputs);
            for (long i = 0; i < grads.size(); i++) {
                results.add(Torch.floats(grads.get(i)));
            }
            return results;
        }
    }

    @Override
    public long extraBytes() {
        return ResidentMemory.growth(this::run);
    }
}
