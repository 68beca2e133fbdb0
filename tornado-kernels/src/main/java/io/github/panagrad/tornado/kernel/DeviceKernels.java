package io.github.panagrad.tornado.kernel;

import io.github.panagrad.tornado.device.PanagradDevice;
import io.github.panagrad.tornado.device.Programs;

/// All kernels of a device: by the op they run, and what measures its limits.
///
/// @param table which op runs by which kernel
/// @param limits what the device can do at best
public record DeviceKernels(KernelTable table, LimitKernels limits) {
    /// Declares the programs of all kernels.
    public static DeviceKernels register(PanagradDevice device) {
        Programs programs = device.programs();
        var table = new KernelTable(device);
        var copies = new CopyKernels(programs);
        copies.register(table);
        new UnaryKernels(programs).register(table);
        var products = new MatMulKernels(device);
        products.register(table);
        var folds = new Folds(device);
        new AttentionKernels(device, products, copies, folds).register(table);
        new BinaryKernels(programs).register(table);
        new CompareKernels(programs).register(table);
        new IndexKernels(device, copies).register(table);
        new MoveKernels(programs, copies).register(table);
        new DropoutKernels(programs).register(table);
        new UpdateKernels(device, copies).register(table);
        new ReduceKernels(device, copies, folds).register(table);
        new SoftmaxKernels(programs).register(table);
        new NormKernels(device, folds).register(table);
        new RopeKernels(device).register(table);
        new SwiGluKernels(programs).register(table);
        new GradientKernels(programs).register(table);
        new HeadKernels(device, products, copies, folds).register(table);
        return new DeviceKernels(table, new LimitKernels(device, copies, products));
    }
}
