package io.github.panagrad.engine.spi;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.Storage;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A set of kernels and the memory they work on, found through [java.util.ServiceLoader].
public interface Backend {
    /// Returns the name that a [Device] refers to.
    String name();

    /// Returns why the backend cannot be used here and how to mend it; empty if it can.
    Optional<String> unavailable();

    /// Describes each device in a line, such as `AVX-512, 16 float lanes, 2 threads`.
    List<String> devices();

    /// Allocates storage with undefined contents.
    Storage allocate(Device device, DType dtype, long length);

    /// Finds the kernel for an op on these operands, or null if the backend has none.
    ///
    /// @param in the operands, before any copy that the kernel may ask for
    <O> @Nullable Kernel<O> kernel(O op, View[] in);

    /// Tells whether parameters of a type can lie where the kernels are; weights of another type are
    /// widened when a model moves to the device.
    default boolean holds(DType dtype) {
        return true;
    }

    /// Tells whether the host reads and writes the backend's storage directly.
    default boolean isHost() {
        return true;
    }

    /// Returns what a device did so far; empty for the host, whose work is not counted.
    default Optional<DeviceStatistics> statistics(Device device) {
        return Optional.empty();
    }

    /// Waits until all is done that a device was asked for, which is not what ops do; nothing for the
    /// host.
    default void finish(Device device) {}

    /// Lets the peak that [#statistics] returns begin anew with what is taken now.
    default void forgetPeak(Device device) {}

    /// Measures what a device can do at best; empty for the host, which benchmarks of its own measure.
    default Optional<DeviceLimits> limits(Device device) {
        return Optional.empty();
    }

    /// Copies `from`, of this backend, into heap storage; needed only if the backend is not the
    /// host's.
    default void download(Storage from, Storage to) {
        throw new UnsupportedOperationException(name() + " storage is the host's");
    }

    /// Copies heap storage into `to`, of this backend; needed only if the backend is not the
    /// host's.
    default void upload(Storage from, Storage to) {
        throw new UnsupportedOperationException(name() + " storage is the host's");
    }
}
