package io.github.panagrad.engine.cpu;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.HeapStorage;
import io.github.panagrad.engine.ground.Storage;
import io.github.panagrad.engine.spi.Backend;
import io.github.panagrad.engine.spi.Kernel;
import io.github.panagrad.engine.spi.View;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The CPU's vector kernels, found by the class of the op.
///
/// Nothing here touches a class of the Vector API before [#unavailable] has said that it is there.
public final class CpuBackend implements Backend {
    private final Optional<String> unavailable;
    private final KernelTable kernels = new KernelTable();

    /// Looks for the Vector API and registers the kernels if it is there.
    public CpuBackend() {
        boolean there = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
        unavailable =
                there
                        ? Optional.empty()
                        : Optional.of(
                                "the Vector API is not enabled; start java with"
                                        + " --add-modules jdk.incubator.vector");
        if (there) {
            InlineAdvice.give();
            CpuKernels.register(kernels);
        }
    }

    @Override
    public String name() {
        return Device.CPU.backend();
    }

    @Override
    public Optional<String> unavailable() {
        return unavailable;
    }

    @Override
    public List<String> devices() {
        return List.of(CpuKernels.describe());
    }

    @Override
    public Storage allocate(Device device, DType dtype, long length) {
        return HeapStorage.allocate(dtype, length);
    }

    @Override
    public <O> @Nullable Kernel<O> kernel(O op, View[] in) {
        return kernels.find(op, in);
    }
}
