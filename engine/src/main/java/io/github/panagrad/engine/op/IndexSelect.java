package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.AddsGradient;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Sample;
import io.github.panagrad.engine.tape.Tape;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Rows picked from one dimension by number, the same for all of the others: embedding lookup.
///
/// Shapes: x (A…, N, Z…), index I32 (K) → (A…, K, Z…).
///
/// @param dim the dimension, not negative
public record IndexSelect(int dim) implements AddsGradient {
    @Override
    public List<Spec> infer(List<Spec> in) {
        if (!in.get(1).dtype().isIndex() || in.get(1).shape().rank() != 1) {
            throw new ShapeException(
                    name(), "index does not fit", in.get(1).toString(), "a vector i32[K]", "");
        }
        Spec x = in.get(0);
        return List.of(x.widened().with(x.shape().with(dim, in.get(1).shape().dim(0))));
    }

    @Override
    public void eval(View[] in, View[] out) {
        Shape shape = out[0].shape();
        int inner = shape.product(dim + 1, shape.rank());
        int k = shape.dim(dim);
        int n = in[0].dim(dim);
        for (long i = 0; i < shape.size(); i++) {
            long line = i / inner;
            int at = Gather.checked(name(), in[1].getLong(line % k), n);
            out[0].set(i, in[0].get((line / k * n + at) * inner + i % inner));
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        return new @Nullable Tensor[] {
            Tape.one(
                    new IndexAdd(dim, node.inputSpec(0).shape().dim(dim)),
                    node.grad(dy, 0),
                    node.input(1)),
            null
        };
    }

    @Override
    public boolean addGradient(Node node, @Nullable Tensor[] dy, Tensor sum) {
        var op = new IndexAddTo(dim);
        Tensor[] in = {sum, node.grad(dy, 0), node.input(1)};
        boolean possible = Tape.hasKernel(op, in);
        if (possible) {
            Tape.into(op, in, sum);
        }
        return possible;
    }

    @Override
    public boolean savesInput(int i) {
        return i == 1;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new IndexSelect(0), Arg.uniform(-2, 2, 7, 17), Arg.index(7, 9)),
                Sample.of(new IndexSelect(0), Arg.uniform(-2, 2, 7, 16), Arg.index(7, 3)),
                Sample.of(new IndexSelect(1), Arg.uniform(-2, 2, 2, 4, 3), Arg.index(4, 6)));
    }
}
