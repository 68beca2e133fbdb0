package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import io.github.panagrad.engine.tape.Tape;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One triangle of matrices, zeros in the other. Shapes: (…, M, N) → (…, M, N).
///
/// @param lower whether to keep what is on and below the diagonal, else what is on and above it
/// @param diagonal which one: 0 the main one, positive ones above it
public record Triangle(boolean lower, int diagonal) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        if (in.getFirst().shape().rank() < 2) {
            throw new ShapeException(
                    lower ? "tril" : "triu",
                    "needs matrices",
                    in.getFirst().toString(),
                    "at least two dimensions",
                    "");
        }
        return List.of(in.getFirst().widened());
    }

    @Override
    public void eval(View[] in, View[] out) {
        int columns = in[0].dim(-1);
        int rows = in[0].dim(-2);
        for (long i = 0; i < in[0].shape().size(); i++) {
            boolean kept = keeps((int) (i / columns % rows), (int) (i % columns));
            out[0].set(i, kept ? in[0].get(i) : 0);
        }
    }

    /// Tells whether an element is in the triangle.
    public boolean keeps(int row, int column) {
        return lower ? column - row <= diagonal : column - row >= diagonal;
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        return new Tensor[] {Tape.one(this, node.grad(dy, 0))};
    }

    @Override
    public boolean savesInput(int i) {
        return false;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Triangle(true, 0), Arg.uniform(-2, 2, 5, 5)),
                Sample.of(new Triangle(false, 1), Arg.uniform(-2, 2, 3, 17)),
                Sample.of(new Triangle(true, -2), Arg.uniform(-2, 2, 2, 6, 4)));
    }
}
