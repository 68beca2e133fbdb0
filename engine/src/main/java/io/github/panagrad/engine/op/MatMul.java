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

/// Matrix product over the last two dimensions; leading ones broadcast.
///
/// Shapes: (…, M, K) · (…, K, N) → (…, M, N).
public record MatMul() implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        Spec a = in.get(0);
        Spec b = in.get(1);
        if (a.shape().rank() < 2 || b.shape().rank() < 2) {
            throw new ShapeException(
                    name(), "needs matrices", a + " · " + b, "at least two dimensions each", "");
        }
        if (a.shape().dim(-1) != b.shape().dim(-2)) {
            throw new ShapeException(
                    name(),
                    "inner dimensions differ",
                    "a " + a + " · b " + b,
                    "a[-1] == b[-2]",
                    a.shape().dim(-1) == b.shape().dim(-1) ? "did you mean b.transpose()?" : "");
        }
        if (a.widened().dtype() != b.widened().dtype()) {
            throw new ShapeException(
                    name(), "dtypes differ", a + " · " + b, "one dtype", "convert with to(DType)");
        }
        Shape batch = Shape.broadcast(name(), batch(a.shape()), batch(b.shape()));
        return List.of(
                a.widened()
                        .with(
                                batch.insert(batch.rank(), a.shape().dim(-2))
                                        .insert(batch.rank() + 1, b.shape().dim(-1))));
    }

    private static Shape batch(Shape shape) {
        return shape.without(-1).without(-1);
    }

    @Override
    public void eval(View[] in, View[] out) {
        Shape shape = out[0].shape();
        int m = shape.dim(-2);
        int n = shape.dim(-1);
        int k = in[0].dim(-1);
        View a = Binary.expanded(in[0], shape.with(-1, k));
        View b = Binary.expanded(in[1], shape.with(-2, k));
        long batches = shape.size() / Math.max(1, (long) m * n);
        for (long batch = 0; batch < batches; batch++) {
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    double sum = 0;
                    for (int p = 0; p < k; p++) {
                        sum += a.get((batch * m + i) * k + p) * b.get((batch * k + p) * n + j);
                    }
                    out[0].set((batch * m + i) * n + j, sum);
                }
            }
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        Tensor d = node.grad(dy, 0);
        return new @Nullable Tensor[] {
            node.needs(0)
                    ? d.matmul(node.input(1).transpose()).sumTo(node.inputSpec(0).shape())
                    : null,
            node.needs(1) ? gradB(node.input(0), d, node.inputSpec(1).shape()) : null
        };
    }

    /// One product over all rows where b is a plain matrix: the sum over the batch comes for free.
    private static Tensor gradB(Tensor a, Tensor dy, Shape b) {
        if (b.rank() == 2 && a.rank() > 2) {
            a = a.reshape(-1, a.dim(-1));
            dy = dy.reshape(-1, dy.dim(-1));
        }
        return a.transpose().matmul(dy).sumTo(b);
    }

    @Override
    public boolean savesInput(int i, boolean[] needs) {
        return needs[1 - i];
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new MatMul(), Arg.uniform(-1, 1, 3, 5), Arg.uniform(-1, 1, 5, 4)),
                Sample.of(new MatMul(), Arg.uniform(-1, 1, 17, 33), Arg.uniform(-1, 1, 33, 19)),
                Sample.of(new MatMul(), Arg.uniform(-1, 1, 1, 16), Arg.uniform(-1, 1, 16, 1)),
                Sample.of(new MatMul(), Arg.uniform(-1, 1, 2, 3, 5), Arg.uniform(-1, 1, 5, 4)),
                Sample.of(new MatMul(), Arg.uniform(-1, 1, 2, 3, 5), Arg.uniform(-1, 1, 2, 5, 4)),
                Sample.of(
                        new MatMul(), Arg.uniform(-1, 1, 2, 1, 3, 5), Arg.uniform(-1, 1, 4, 5, 2)));
    }
}
