/// Tensors, automatic differentiation and the kernels of the CPU.
module io.github.panagrad.engine {
    requires static jdk.incubator.vector;
    requires static org.jspecify;

    exports io.github.panagrad.engine.ground;
}
