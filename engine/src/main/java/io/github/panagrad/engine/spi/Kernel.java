package io.github.panagrad.engine.spi;

/// The implementation of one op on one backend.
///
/// Inputs arrive contiguous and in a compute or integer dtype unless the kernel says that it
/// accepts more. Outputs are contiguous, allocated, with undefined contents: a kernel writes every
/// element.
///
/// @param <O> the op's record, which carries its attributes
public interface Kernel<O> {
    /// Computes the outputs from the inputs.
    void run(O op, View[] in, View[] out);

    /// Returns the name that [Backends#explain] shows: the class's; of a kernel that is a method, that
    /// of the class which it is in.
    default String name() {
        String name = getClass().getSimpleName();
        int lambda = name.indexOf("$$");
        return lambda < 0 ? name : name.substring(0, lambda);
    }

    /// Tells whether input `i` may have any strides.
    default boolean acceptsStrides(int i) {
        return false;
    }

    /// Tells whether input `i` may be of a type that is only stored; otherwise it is widened first.
    default boolean acceptsStored(int i) {
        return false;
    }
}
