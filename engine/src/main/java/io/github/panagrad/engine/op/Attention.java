package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.HeapStorage;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.BackwardOp;
import io.github.panagrad.engine.tape.Fused;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Scaled dot-product attention, softmax(scale·q·kᵀ + mask)·v (Vaswani et al., arXiv 1706.03762),
/// with grouped-query heads (Ainslie et al., arXiv 2305.13245).
///
/// Inputs q, k, v, then the key mask and the segments if there. Results: the output, and the
/// log-sum-exp of each row of scores, a statistic for backward. A row that sees no key gives zeros.
///
/// Shapes: q (B, T, H, D), k and v (B, S, G, D) with H a multiple of G, keyMask BOOL (B, S),
/// segments I32 (B, T) with S = T → (B, T, H, D), (B, H, T).
///
/// @param scale what scores are multiplied by
/// @param causal whether query i sees only keys up to i + S − T
/// @param window how many keys up to its own position a query sees at most; 0 for all
/// @param hasKeyMask whether a key mask follows v
/// @param hasSegments whether segments follow
public record Attention(
        double scale, boolean causal, int window, boolean hasKeyMask, boolean hasSegments)
        implements Fused {
    /// What scores that a mask hides are set to: finite, so that no row yields NaN.
    private static final double HIDDEN = -1e30;

    @Override
    public List<Spec> infer(List<Spec> in) {
        Shape q = in.get(0).shape();
        Shape k = in.get(1).shape();
        boolean fits =
                q.rank() == 4
                        && k.rank() == 4
                        && k.equals(in.get(2).shape())
                        && q.dim(0) == k.dim(0)
                        && q.dim(3) == k.dim(3)
                        && k.dim(2) > 0
                        && q.dim(2) % k.dim(2) == 0;
        if (!fits) {
            throw new ShapeException(
                    name(),
                    "operands do not fit",
                    "q " + q + ", k " + k + ", v " + in.get(2).shape(),
                    "q [B,T,H,D], k and v [B,S,G,D], H a multiple of G",
                    "");
        }
        if (causal && k.dim(1) < q.dim(1)) {
            throw new ShapeException(
                    name(), "fewer keys than queries", k.dim(1) + " and " + q.dim(1), "S >= T", "");
        }
        int next = 3;
        if (hasKeyMask) {
            expect("keyMask", in.get(next++), Shape.of(k.dim(0), k.dim(1)), DType.BOOL);
        }
        if (hasSegments) {
            expect("segments", in.get(next), Shape.of(q.dim(0), k.dim(1)), DType.I32);
        }
        Spec out = in.getFirst().widened();
        return List.of(out, out.with(Shape.of(q.dim(0), q.dim(2), q.dim(1))));
    }

    private void expect(String what, Spec got, Shape shape, DType dtype) {
        if (!got.equals(new Spec(shape, dtype))) {
            throw new ShapeException(
                    name(), what + " does not fit", got.toString(), dtype.label() + shape, "");
        }
    }

    @Override
    public Tensor[] composed(Tensor[] in) {
        int b = in[0].dim(0);
        int t = in[0].dim(1);
        int h = in[0].dim(2);
        int d = in[0].dim(3);
        int s = in[1].dim(1);
        int g = in[1].dim(2);
        Tensor q = in[0].permute(0, 2, 1, 3).reshape(b, g, h / g, t, d);
        Tensor k = in[1].permute(0, 2, 1, 3).reshape(b, g, 1, s, d);
        Tensor v = in[2].permute(0, 2, 1, 3).reshape(b, g, 1, s, d);
        Tensor visible = visible(in, b, t, s);
        Tensor scores = q.matmul(k.transpose()).mul(scale);
        Tensor hidden = Ops.full(scores.dtype(), Shape.SCALAR, HIDDEN).to(scores.device());
        Tensor masked = Ops.where(visible, scores, hidden);
        Tensor weights = Ops.softmax(masked, -1).mul(visible.to(scores.dtype()));
        Tensor out = weights.matmul(v).reshape(b, h, t, d).permute(0, 2, 1, 3).contiguous();
        return new Tensor[] {out, masked.detach().logSumExp(-1, false).reshape(b, h, t)};
    }

    /// Returns which keys each query sees, BOOL (B, 1, 1, T, S).
    private Tensor visible(Tensor[] in, int b, int t, int s) {
        byte[] seen = new byte[b * t * s];
        int[] segments = hasSegments ? in[in.length - 1].toInts() : null;
        int[] keys = hasKeyMask ? in[3].to(DType.I32).toInts() : null;
        for (int i = 0; i < b; i++) {
            for (int row = 0; row < t; row++) {
                int position = row + s - t;
                for (int key = 0; key < s; key++) {
                    boolean sees =
                            (!causal || key <= position)
                                    && (window == 0 || key > position - window)
                                    && (keys == null || keys[i * s + key] != 0)
                                    && (segments == null
                                            || segments[i * s + key] == segments[i * s + position]);
                    seen[(i * t + row) * s + key] = (byte) (sees ? 1 : 0);
                }
            }
        }
        return new Tensor(
                HeapStorage.of(seen),
                Layout.contiguous(Shape.of(b, 1, 1, t, s)),
                in[0].device(),
                null);
    }

    @Override
    public boolean hasGradient(int i) {
        return i == 0;
    }

    @Override
    public boolean savesOutput(int i) {
        return true;
    }

    @Override
    public @Nullable Op backward(boolean[] needs) {
        return new Grad(this, needs[0], needs[1], needs[2]);
    }

    /// The gradients of [Attention]: inputs its own, its two results, and the gradient of the
    /// first; outputs dq, dk, dv as needed.
    ///
    /// @param of the op that is differentiated
    /// @param dq whether the gradient of q is wanted
    /// @param dk whether the gradient of k is wanted
    /// @param dv whether the gradient of v is wanted
    public record Grad(Attention of, boolean dq, boolean dk, boolean dv) implements BackwardOp {
        @Override
        public List<Spec> infer(List<Spec> in) {
            boolean[] wanted = {dq, dk, dv};
            return IntStream.range(0, 3)
                    .filter(i -> wanted[i])
                    .mapToObj(i -> in.get(i).widened())
                    .toList();
        }
    }

    public static List<Sample> samples() {
        return List.of(
                sample(new Attention(0.4, true, 0, false, false), 1, 3, 3, 2, 1, 4),
                sample(new Attention(0.3, false, 0, false, false), 2, 2, 5, 2, 2, 8),
                sample(new Attention(0.3, true, 0, false, false), 1, 2, 6, 4, 2, 6),
                sample(new Attention(0.3, true, 3, false, false), 1, 7, 7, 2, 1, 16),
                sample(new Attention(0.3, true, 0, false, true), 2, 9, 9, 3, 3, 17),
                sample(new Attention(0.2, true, 0, false, false), 1, 37, 37, 2, 1, 24),
                sample(new Attention(0.2, false, 0, false, false), 1, 18, 33, 2, 1, 16));
    }

    private static Sample sample(Attention op, int b, int t, int s, int h, int g, int d) {
        var args = new ArrayList<Arg>();
        args.add(Arg.uniform(-2, 2, b, t, h, d));
        args.add(Arg.uniform(-2, 2, b, s, g, d));
        args.add(Arg.uniform(-2, 2, b, s, g, d));
        if (op.hasKeyMask) {
            args.add(Arg.mask(b, s));
        }
        if (op.hasSegments) {
            args.add(Arg.index(3, b, t));
        }
        return new Sample(op, List.copyOf(args));
    }
}
