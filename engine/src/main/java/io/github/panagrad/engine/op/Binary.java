package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// An elementwise op of two operands, broadcast by NumPy's rules.
public interface Binary extends Op {
    /// Computes one element: the specification.
    double eval(double a, double b);

    /// Returns the gradient of a, in the shape of the result.
    Tensor vjpA(Node node, Tensor dy);

    /// Returns the gradient of b, in the shape of the result.
    Tensor vjpB(Node node, Tensor dy);

    /// Tells whether integers have integer results.
    default boolean acceptsIntegers() {
        return true;
    }

    @Override
    default List<Spec> infer(List<Spec> in) {
        Spec a = in.get(0).widened();
        Spec b = in.get(1).widened();
        if (a.dtype() == DType.BOOL) {
            throw new ShapeException(
                    name(),
                    "not for truth values",
                    a + " and " + b,
                    "numbers",
                    "use logicalAnd and the like, or convert with to(DType.F32)");
        }
        if (a.dtype().isIndex() && !acceptsIntegers()) {
            throw new ShapeException(
                    name(),
                    "not for integers",
                    a.toString(),
                    "f32 or f64",
                    "convert with to(DType.F32)");
        }
        if (a.dtype() != b.dtype()) {
            throw new ShapeException(
                    name(),
                    "dtypes differ",
                    in.get(0) + " and " + in.get(1),
                    "one dtype",
                    "convert one of them with to(DType)");
        }
        return List.of(a.with(Shape.broadcast(name(), a.shape(), b.shape())));
    }

    @Override
    default void eval(View[] in, View[] out) {
        View a = expanded(in[0], out[0].shape());
        View b = expanded(in[1], out[0].shape());
        for (long i = 0; i < out[0].shape().size(); i++) {
            out[0].set(i, eval(a.get(i), b.get(i)));
        }
    }

    /// Repeats a view to a broadcast shape.
    static View expanded(View view, Shape shape) {
        return new View(view.storage(), view.layout().expand(shape));
    }

    @Override
    default @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        Tensor d = node.grad(dy, 0);
        return new @Nullable Tensor[] {
            node.needs(0) ? vjpA(node, d).sumTo(node.inputSpec(0).shape()) : null,
            node.needs(1) ? vjpB(node, d).sumTo(node.inputSpec(1).shape()) : null
        };
    }
}
