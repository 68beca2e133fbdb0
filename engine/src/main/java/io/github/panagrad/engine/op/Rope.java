package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Fused;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Sample;
import io.github.panagrad.engine.tape.Tape;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Rotary position embedding in the rotate-half form: the pair (xᵢ, xᵢ₊D/2) turns by the angle of
/// its position (Su et al., arXiv 2104.09864).
///
/// Shapes: x (B, T, H, D), cos and sin (P, D/2), positions I32 (B, T) or (T) → (B, T, H, D).
///
/// @param inverse whether to turn back: the derivative of turning
public record Rope(boolean inverse) implements Fused {
    @Override
    public List<Spec> infer(List<Spec> in) {
        Shape x = in.get(0).shape();
        Shape cos = in.get(1).shape();
        Shape positions = in.get(3).shape();
        boolean fits =
                x.rank() == 4
                        && x.dim(3) == 2 * cos.dim(-1)
                        && (positions.equals(Shape.of(x.dim(1)))
                                || positions.equals(Shape.of(x.dim(0), x.dim(1))));
        if (!fits) {
            throw new ShapeException(
                    name(),
                    "operands do not fit",
                    "x " + x + ", table " + cos + ", positions " + positions,
                    "x [B,T,H,D], table [P,D/2], positions [B,T] or [T]",
                    "");
        }
        return List.of(in.getFirst().widened());
    }

    @Override
    public Tensor[] composed(Tensor[] in) {
        Tensor x = in[0];
        int half = x.dim(3) / 2;
        int[] rows = {in[3].rank() == 1 ? 1 : x.dim(0), x.dim(1), 1, half};
        Tensor flat = in[3].reshape(-1);
        Tensor cos = in[1].indexSelect(0, flat).reshape(rows);
        Tensor sin = in[2].indexSelect(0, flat).reshape(rows).mul(inverse ? -1 : 1);
        Tensor a = x.narrow(3, 0, half);
        Tensor b = x.narrow(3, half, half);
        return new Tensor[] {Ops.concat(3, a.mul(cos).sub(b.mul(sin)), b.mul(cos).add(a.mul(sin)))};
    }

    @Override
    public @Nullable Tensor[] plainVjp(Node node, @Nullable Tensor[] dy) {
        @Nullable Tensor[] grads = new Tensor[4];
        grads[0] =
                Tape.one(
                        new Rope(!inverse),
                        node.grad(dy, 0),
                        node.input(1),
                        node.input(2),
                        node.input(3));
        return grads;
    }

    @Override
    public boolean savesInput(int i) {
        return i > 0;
    }

    public static List<Sample> samples() {
        return List.of(
                sample(false, 1, 5, 2, 8, 1),
                sample(true, 2, 3, 1, 6, 2),
                sample(false, 2, 4, 3, 32, 2));
    }

    private static Sample sample(boolean inverse, int b, int t, int h, int d, int rank) {
        return Sample.of(
                new Rope(inverse),
                Arg.uniform(-2, 2, b, t, h, d),
                Arg.constant(-1, 1, 16, d / 2),
                Arg.constant(-1, 1, 16, d / 2),
                rank == 1 ? Arg.index(16, t) : Arg.index(16, b, t));
    }
}
