package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
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

/// Root-mean-square normalisation over the last dimension, y = w·x/√(mean(x²)+ε) (Zhang, Sennrich,
/// arXiv 1910.07467).
///
/// Shapes: x (…, C), w (C) → (…, C).
///
/// @param eps ε
public record RmsNorm(double eps) implements Fused {
    @Override
    public List<Spec> infer(List<Spec> in) {
        Spec x = in.get(0);
        if (!in.get(1).shape().equals(Shape.of(x.shape().dim(-1)))) {
            throw new ShapeException(
                    name(),
                    "weight does not fit",
                    in.get(1) + " for " + x,
                    "[" + x.shape().dim(-1) + "]",
                    "");
        }
        return List.of(x.widened());
    }

    @Override
    public Tensor[] composed(Tensor[] in) {
        Tensor x = in[0];
        Tensor scale = x.square().mean(-1, true).affine(1, eps).rsqrt();
        return new Tensor[] {x.mul(scale).mul(in[1])};
    }

    @Override
    public Op backward(boolean[] needs) {
        return new Grad(eps, needs[0], needs[1]);
    }

    /// The gradients of [RmsNorm] in one pass: inputs x, w, dy; outputs dx and dw as needed.
    ///
    /// @param eps ε
    /// @param dx whether the gradient of x is wanted
    /// @param dw whether the gradient of w is wanted
    public record Grad(double eps, boolean dx, boolean dw) implements BackwardOp {
        @Override
        public List<Spec> infer(List<Spec> in) {
            var out = new ArrayList<Spec>();
            if (dx) {
                out.add(in.get(0).widened());
            }
            if (dw) {
                out.add(in.get(1).widened());
            }
            return out;
        }
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new RmsNorm(1e-5), Arg.uniform(-2, 2, 3, 17), Arg.uniform(0.5, 2, 17)),
                Sample.of(new RmsNorm(1e-5), Arg.uniform(-2, 2, 2, 3, 32), Arg.uniform(0.5, 2, 32)),
                Sample.of(new RmsNorm(1e-6), Arg.uniform(-2, 2, 5), Arg.uniform(0.5, 2, 5)));
    }
}
