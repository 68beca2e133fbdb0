package io.github.panagrad.engine.reference;

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

/// A backend without kernels: every op runs as its own specification says.
public final class ReferenceBackend implements Backend {
    @Override
    public String name() {
        return Device.REFERENCE.backend();
    }

    @Override
    public Optional<String> unavailable() {
        return Optional.empty();
    }

    @Override
    public List<String> devices() {
        return List.of("plain Java in double precision, one thread");
    }

    @Override
    public Storage allocate(Device device, DType dtype, long length) {
        return HeapStorage.allocate(dtype, length);
    }

    @Override
    public <O> @Nullable Kernel<O> kernel(O op, View[] in) {
        return null;
    }
}
