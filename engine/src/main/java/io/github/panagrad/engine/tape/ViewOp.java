package io.github.panagrad.engine.tape;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// An op that only looks at its input's memory differently: no kernel, no copy.
public interface ViewOp extends Op {
    /// Returns the layout of the result over the input's storage.
    ///
    /// @throws io.github.panagrad.engine.ground.ShapeException if it does not fit
    Layout view(Layout in);

    /// Returns the gradient of the input.
    Tensor vjp(Spec in, Tensor dy);

    @Override
    default List<Spec> infer(List<Spec> in) {
        Spec only = in.getFirst();
        return List.of(only.with(view(Layout.contiguous(only.shape())).shape()));
    }

    @Override
    default void eval(View[] in, View[] out) {
        var source = new View(in[0].storage(), view(in[0].layout()));
        for (long i = 0; i < source.shape().size(); i++) {
            out[0].set(i, source.get(i));
        }
    }

    @Override
    default @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        return new Tensor[] {vjp(node.inputSpec(0), node.grad(dy, 0))};
    }

    @Override
    default boolean savesInput(int i) {
        return false;
    }
}
