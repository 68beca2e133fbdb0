package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Tensors one after the other along one dimension; their other extents are equal.
///
/// @param dim the dimension, not negative
public record Concat(int dim) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        Spec first = in.getFirst().widened();
        int total = 0;
        for (Spec spec : in) {
            boolean fits =
                    spec.shape().rank() == first.shape().rank()
                            && spec.widened().dtype() == first.dtype()
                            && spec.shape().with(dim, 1).equals(first.shape().with(dim, 1));
            if (!fits) {
                throw new ShapeException(
                        name(),
                        "operands do not fit",
                        first + " and " + spec,
                        "one dtype, and extents that differ in dimension " + dim + " only",
                        "");
            }
            total = Math.addExact(total, spec.shape().dim(dim));
        }
        return List.of(first.with(first.shape().with(dim, total)));
    }

    @Override
    public void eval(View[] in, View[] out) {
        int start = 0;
        for (View part : in) {
            View target =
                    new View(out[0].storage(), out[0].layout().slice(dim, start, part.dim(dim), 1));
            Shape shape = part.shape();
            for (long i = 0; i < shape.size(); i++) {
                if (part.dtype().isFloating()) {
                    target.set(i, part.get(i));
                } else {
                    target.setLong(i, part.getLong(i));
                }
            }
            start += part.dim(dim);
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        Tensor d = node.grad(dy, 0);
        @Nullable Tensor[] grads = new Tensor[node.inputs()];
        int start = 0;
        for (int i = 0; i < grads.length; i++) {
            int extent = node.inputSpec(i).shape().dim(dim);
            grads[i] = node.needs(i) ? d.narrow(dim, start, extent) : null;
            start += extent;
        }
        return grads;
    }

    @Override
    public boolean savesInput(int i) {
        return false;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Concat(0), Arg.uniform(-2, 2, 3), Arg.uniform(-2, 2, 17)),
                Sample.of(
                        new Concat(1),
                        Arg.uniform(-2, 2, 2, 3, 4),
                        Arg.uniform(-2, 2, 2, 1, 4),
                        Arg.uniform(-2, 2, 2, 5, 4)),
                Sample.of(new Concat(1), Arg.uniform(-2, 2, 3, 16), Arg.uniform(-2, 2, 3, 4)));
    }
}
