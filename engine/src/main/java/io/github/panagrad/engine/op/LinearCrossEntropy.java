package io.github.panagrad.engine.op;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Fused;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Sample;
import io.github.panagrad.engine.tape.Tape;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Weighted sum of the cross-entropies of a linear head, loss = Σᵢ wᵢ·ℓᵢ, which computes its
/// gradients in the same pass and so needs three products instead of four.
///
/// ℓ = lse − Σᵥ tᵥ·zᵥ + λ·lse², with z the (capped) logits, t the (smoothed) target. Results: the
/// loss; then statistics: the plain nll of each token (0 where ignored), the share of Σ|∂loss/∂z|
/// that the filter dropped, and the gradients of hidden and weight where asked for.
///
/// Shapes: hidden (N, D), weight (V, D), targets I32 (N), token weights (N) → (), (N), (), (N, D)?,
/// (V, D)?.
///
/// @param options smoothing, cap, filter, memory
/// @param dHidden whether to compute the gradient of hidden
/// @param dWeight whether to compute the gradient of weight
public record LinearCrossEntropy(HeadOptions options, boolean dHidden, boolean dWeight)
        implements Fused {
    private static final int STATISTICS = 3;

    @Override
    public List<Spec> infer(List<Spec> in) {
        checkHead(name(), in);
        Spec hidden = in.get(0).widened();
        Shape tokens = in.get(2).shape();
        if (!in.get(3).shape().equals(tokens)) {
            throw new ShapeException(
                    name(),
                    "token weights do not fit",
                    in.get(3).toString(),
                    tokens.toString(),
                    "");
        }
        var out = new ArrayList<Spec>();
        out.add(hidden.with(Shape.SCALAR));
        out.add(hidden.with(tokens));
        out.add(hidden.with(Shape.SCALAR));
        if (dHidden) {
            out.add(hidden);
        }
        if (dWeight) {
            out.add(in.get(1).widened());
        }
        return out;
    }

    /// Checks hidden (N, D), weight (V, D) and targets I32 (N).
    static void checkHead(String op, List<Spec> in) {
        Shape hidden = in.get(0).shape();
        Shape weight = in.get(1).shape();
        boolean fits = hidden.rank() == 2 && weight.rank() == 2 && hidden.dim(1) == weight.dim(1);
        if (!fits || !in.get(2).equals(new Spec(Shape.of(hidden.dim(0)), DType.I32))) {
            throw new ShapeException(
                    op,
                    "operands do not fit",
                    "hidden " + in.get(0) + ", weight " + in.get(1) + ", targets " + in.get(2),
                    "hidden [N,D], weight [V,D], targets i32[N]",
                    "");
        }
    }

    @Override
    public Tensor[] composed(Tensor[] in) {
        var head = PlainHead.of(in[0], in[1], in[2], options);
        Tensor loss = head.loss().mul(in[3]).sum();
        var out = new ArrayList<Tensor>();
        out.add(loss);
        out.add(head.nll());
        Tensor dz = head.gradient(in[3]);
        Tensor kept = head.filtered(dz);
        Tensor total = dz.abs().sum();
        out.add(total.sub(kept.abs().sum()).div(total.add(Double.MIN_NORMAL)));
        if (dHidden || dWeight) {
            Tensor raw = head.throughCap(kept);
            if (dHidden) {
                out.add(raw.matmul(in[1].to(raw.dtype())));
            }
            if (dWeight) {
                out.add(raw.transpose().matmul(in[0]));
            }
        }
        return out.toArray(Tensor[]::new);
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        boolean saved =
                (dHidden || !node.needs(0)) && (dWeight || !node.needs(1)) && !node.needs(3);
        if (Tape.isRecording() || !saved) {
            return plainVjp(node, dy);
        }
        Tensor factor = node.grad(dy, 0);
        @Nullable Tensor[] grads = new Tensor[4];
        if (node.needs(0)) {
            grads[0] = times(node.output(STATISTICS), factor);
        }
        if (node.needs(1)) {
            grads[1] = times(node.output(STATISTICS + (dHidden ? 1 : 0)), factor);
        }
        return grads;
    }

    private static Tensor times(Tensor gradient, Tensor factor) {
        return factor.item() == 1 ? gradient : gradient.mul(factor);
    }

    @Override
    public boolean hasGradient(int i) {
        return i == 0;
    }

    @Override
    public boolean savesOutput(int i) {
        return i >= STATISTICS;
    }

    public static List<Sample> samples() {
        var d = HeadOptions.DEFAULT;
        return List.of(
                sample(d, 5, 8, 19, true, true),
                sample(d.ignoreIndex(2), 9, 5, 4, true, true),
                sample(d.labelSmoothing(0.1).zLoss(1e-2), 4, 6, 17, true, true),
                sample(d.softCap(3), 4, 6, 33, true, true),
                sample(
                        d.softCap(2).labelSmoothing(0.2).zLoss(0.1).memoryBudget(128),
                        7,
                        5,
                        40,
                        true,
                        true));
    }

    private static Sample sample(
            HeadOptions o, int n, int d, int v, boolean dHidden, boolean dWeight) {
        return Sample.of(
                new LinearCrossEntropy(o, dHidden, dWeight),
                Arg.uniform(-1, 1, n, d),
                Arg.uniform(-1, 1, v, d),
                Arg.index(v, n),
                Arg.constant(0.1, 1, n));
    }
}
