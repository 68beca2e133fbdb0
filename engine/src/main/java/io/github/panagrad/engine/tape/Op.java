package io.github.panagrad.engine.tape;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A differentiable operation: a record of its attributes, its meaning and its derivative.
///
/// Every op class also has `public static List<Sample> samples()`, which the tests run it on.
public interface Op {
    /// Returns the name used in messages, such as `matMul`.
    default String name() {
        String simple = getClass().getSimpleName();
        return Character.toLowerCase(simple.charAt(0)) + simple.substring(1);
    }

    /// Checks the operands and describes the results.
    ///
    /// @throws io.github.panagrad.engine.ground.ShapeException if they do not fit
    List<Spec> infer(List<Spec> in);

    /// Computes the results plainly, in double precision: the specification of the op.
    ///
    /// Views may have any strides; outputs have undefined contents.
    void eval(View[] in, View[] out);

    /// Returns the gradient for each input, null where there is none.
    ///
    /// Written in tensor ops, so that it can be differentiated again.
    ///
    /// @param node what the op saved
    /// @param dy the gradient of each output, null where nothing used it
    @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy);

    /// Tells whether [#vjp] reads input `i`; otherwise its memory is not kept for backward.
    default boolean savesInput(int i) {
        return true;
    }

    /// Tells whether [#vjp] reads input `i`, knowing which gradients it will compute.
    ///
    /// @param needs for each input, whether its gradient is needed
    default boolean savesInput(int i, boolean[] needs) {
        return savesInput(i);
    }

    /// Tells whether [#vjp] reads output `i`; otherwise its memory is not kept for backward.
    default boolean savesOutput(int i) {
        return false;
    }
}
