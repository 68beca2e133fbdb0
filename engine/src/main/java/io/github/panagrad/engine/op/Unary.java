package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Tape;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// An elementwise op of one operand.
public interface Unary extends Op {
    /// Computes one element: the specification.
    double eval(double x);

    /// Returns the gradient of x; `y` may be used if [#usesOutput], and then `x` may not.
    Tensor vjp(Tensor x, Tensor y, Tensor dy);

    /// Tells whether the derivative is a function of the result rather than of the operand.
    default boolean usesOutput() {
        return false;
    }

    /// Tells whether integers have integer results.
    default boolean acceptsIntegers() {
        return false;
    }

    @Override
    default List<Spec> infer(List<Spec> in) {
        Spec x = in.getFirst().widened();
        if (!x.dtype().isFloating() && !(x.dtype().isIndex() && acceptsIntegers())) {
            throw new ShapeException(
                    name(),
                    x.dtype().isIndex() ? "not for integers" : "not for truth values",
                    x.toString(),
                    "f32 or f64",
                    "convert with to(DType.F32)");
        }
        return List.of(x);
    }

    @Override
    default void eval(View[] in, View[] out) {
        for (long i = 0; i < out[0].shape().size(); i++) {
            out[0].set(i, eval(in[0].get(i)));
        }
    }

    @Override
    default @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        Tensor saved = usesOutput() ? node.output(0) : node.input(0);
        Tensor d = node.grad(dy, 0);
        var fast = new UnaryGrad(this);
        if (!Tape.isRecording() && Tape.hasKernel(fast, saved, d)) {
            return Tape.apply(fast, saved, d);
        }
        return new Tensor[] {vjp(saved, saved, d)};
    }

    @Override
    default boolean savesInput(int i) {
        return !usesOutput();
    }

    @Override
    default boolean savesOutput(int i) {
        return usesOutput();
    }
}
