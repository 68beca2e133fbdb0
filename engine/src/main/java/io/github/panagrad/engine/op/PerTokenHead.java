package io.github.panagrad.engine.op;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.BackwardOp;
import io.github.panagrad.engine.tape.Fused;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The cross-entropy of each token under a linear head, so that any weighted or sequence-level loss
/// is a plain function of a vector and never sees logits.
///
/// Results: nll (smoothed if asked), log-sum-exp, then on request the entropy and the arg-max. All
/// are 0 where the target is ignored, the arg-max −1. Its derivative takes a weight a token.
///
/// Shapes: hidden (N, D), weight (V, D), targets I32 (N) → (N), (N), (N)?, I32 (N)?.
///
/// @param options smoothing, cap, memory; z-loss and filter are not used here
/// @param entropy whether to compute the entropies
/// @param argMax whether to find the likeliest tokens
public record PerTokenHead(HeadOptions options, boolean entropy, boolean argMax) implements Fused {
    @Override
    public List<Spec> infer(List<Spec> in) {
        LinearCrossEntropy.checkHead(name(), in);
        Shape tokens = in.get(2).shape();
        Spec real = in.get(0).widened().with(tokens);
        var out = new ArrayList<Spec>(List.of(real, real));
        if (entropy) {
            out.add(real);
        }
        if (argMax) {
            out.add(new Spec(tokens, DType.I32));
        }
        return out;
    }

    @Override
    public Tensor[] composed(Tensor[] in) {
        var head = PlainHead.of(in[0], in[1], in[2], options.zLoss(0));
        var out = new ArrayList<Tensor>();
        out.add(head.loss());
        out.add(head.lse().mul(head.live()));
        if (entropy) {
            out.add(head.entropy());
        }
        if (argMax) {
            Tensor best = head.z().argmax(-1, false).to(in[0].dtype());
            out.add(best.add(1).mul(head.live()).sub(1).to(DType.I32));
        }
        return out.toArray(Tensor[]::new);
    }

    @Override
    public boolean hasGradient(int i) {
        return i < (entropy ? 3 : 2);
    }

    @Override
    public boolean savesOutput(int i) {
        return i == 1 || (entropy && i == 2);
    }

    @Override
    public @Nullable Op backward(boolean[] needs) {
        return new Grad(this, needs[0], needs[1]);
    }

    /// The gradients of [PerTokenHead]: inputs hidden, weight, targets, lse, entropy?, then dNll,
    /// dLse, dEntropy?; outputs dHidden and dWeight as needed.
    ///
    /// @param of the op that is differentiated
    /// @param dHidden whether the gradient of hidden is wanted
    /// @param dWeight whether the gradient of weight is wanted
    public record Grad(PerTokenHead of, boolean dHidden, boolean dWeight) implements BackwardOp {
        @Override
        public List<Spec> infer(List<Spec> in) {
            var out = new ArrayList<Spec>();
            if (dHidden) {
                out.add(in.get(0).widened());
            }
            if (dWeight) {
                out.add(in.get(1).widened());
            }
            return out;
        }
    }

    public static List<Sample> samples() {
        var d = HeadOptions.DEFAULT;
        return List.of(
                sample(new PerTokenHead(d, false, false), 5, 8, 19),
                sample(new PerTokenHead(d.ignoreIndex(1), true, true), 9, 5, 4),
                sample(new PerTokenHead(d.labelSmoothing(0.1).softCap(3), true, false), 4, 6, 33),
                sample(new PerTokenHead(d.memoryBudget(128), true, true), 7, 5, 40));
    }

    private static Sample sample(PerTokenHead op, int n, int d, int v) {
        return Sample.of(op, Arg.uniform(-1, 1, n, d), Arg.uniform(-1, 1, v, d), Arg.index(v, n));
    }
}
