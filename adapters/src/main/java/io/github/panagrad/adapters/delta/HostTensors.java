package io.github.panagrad.adapters.delta;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import java.util.function.Supplier;

/// Tensors that a delta holds on to.
final class HostTensors {
    private HostTensors() {}

    /// Computes a tensor that outlives all scopes, without recording.
    static Tensor kept(Supplier<Tensor> body) {
        return Ops.noGrad(() -> Ops.scope(body)).keep();
    }

    /// Copies values to F32 on the host, for good.
    static Tensor copy(Tensor values) {
        return kept(() -> {
            Tensor host = values.detach().to(Device.CPU).to(DType.F32);
            return host.storage() == values.storage() ? host.copy() : host.contiguous();
        });
    }
}
