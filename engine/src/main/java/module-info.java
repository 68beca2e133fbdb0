/// Tensors, automatic differentiation and the kernels of the CPU.
module io.github.panagrad.engine {
    requires java.management;
    requires jdk.incubator.vector;
    requires static org.jspecify;

    exports io.github.panagrad.engine;
    exports io.github.panagrad.engine.check;
    exports io.github.panagrad.engine.ground;
    exports io.github.panagrad.engine.op;
    exports io.github.panagrad.engine.spi;
    exports io.github.panagrad.engine.tape;

    uses io.github.panagrad.engine.spi.Backend;

    provides io.github.panagrad.engine.spi.Backend with
            io.github.panagrad.engine.cpu.CpuBackend,
            io.github.panagrad.engine.reference.ReferenceBackend;
}
