package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Fused;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Sample;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A linear layer, y = x·Wᵀ (+ b): inputs x, W and, if there, b.
///
/// Shapes: x (…, K), W (N, K), b (N) → (…, N).
public record Linear() implements Fused {
    @Override
    public List<Spec> infer(List<Spec> in) {
        Spec x = in.get(0);
        Spec w = in.get(1);
        if (w.shape().rank() != 2
                || x.shape().rank() < 1
                || x.shape().dim(-1) != w.shape().dim(1)) {
            throw new ShapeException(
                    name(),
                    "input and weight do not fit",
                    "x " + x + ", weight " + w,
                    "x[-1] == weight[1], weight [out, in]",
                    "");
        }
        int n = w.shape().dim(0);
        if (in.size() == 3 && !in.get(2).shape().equals(Shape.of(n))) {
            throw new ShapeException(
                    name(), "bias does not fit", in.get(2).toString(), "[" + n + "]", "");
        }
        return List.of(x.widened().with(x.shape().with(-1, n)));
    }

    @Override
    public Tensor[] composed(Tensor[] in) {
        Tensor x = in[0];
        Tensor flat = x.reshape(-1, x.dim(-1));
        Tensor y = flat.matmul(in[1].transpose());
        if (in.length == 3) {
            y = y.add(in[2]);
        }
        return new Tensor[] {y.reshape(x.shape().with(-1, in[1].dim(0)).toArray())};
    }

    @Override
    public @Nullable Tensor[] plainVjp(Node node, @Nullable Tensor[] dy) {
        Tensor d = node.grad(dy, 0);
        Tensor flat = d.reshape(-1, d.dim(-1));
        var grads = new ArrayList<@Nullable Tensor>();
        grads.add(
                node.needs(0)
                        ? flat.matmul(node.input(1)).reshape(node.inputSpec(0).shape().toArray())
                        : null);
        grads.add(
                node.needs(1)
                        ? flat.transpose().matmul(node.input(0).reshape(-1, node.input(0).dim(-1)))
                        : null);
        if (node.inputs() == 3) {
            grads.add(node.needs(2) ? flat.sum(0, false) : null);
        }
        return grads.toArray(Tensor[]::new);
    }

    @Override
    public boolean savesInput(int i, boolean[] needs) {
        return i < 2 && needs[1 - i];
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Linear(), Arg.uniform(-1, 1, 3, 5), Arg.uniform(-1, 1, 4, 5)),
                Sample.of(
                        new Linear(),
                        Arg.uniform(-1, 1, 2, 3, 17),
                        Arg.uniform(-1, 1, 9, 17),
                        Arg.uniform(-1, 1, 9)),
                Sample.of(new Linear(), Arg.uniform(-1, 1, 16), Arg.uniform(-1, 1, 33, 16)),
                Sample.of(new Linear(), Arg.uniform(-1, 1, 37, 33), Arg.uniform(-1, 1, 50, 33)));
    }
}
