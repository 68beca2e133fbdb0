package io.github.panagrad.tornado.kernel;

import io.github.panagrad.tornado.device.Programs;

/// All kernels of a device, by the op they run.
public final class DeviceKernels {
    private DeviceKernels() {}

    /// Declares the programs of all kernels and returns which op runs by which.
    public static KernelTable register(Programs programs) {
        var table = new KernelTable();
        new CopyKernels(programs).register(table);
        new UnaryKernels(programs).register(table);
        new MatMulKernels(programs).register(table);
        return table;
    }
}
