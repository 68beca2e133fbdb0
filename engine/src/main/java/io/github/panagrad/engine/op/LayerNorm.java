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
import java.util.List;
import java.util.stream.IntStream;

/// Layer normalisation over the last dimension, y = w·(x−mean(x))/√(var(x)+ε) + b (Ba, Kiros,
/// Hinton, arXiv 1607.06450).
///
/// Shapes: x (…, C), w (C), b (C) → (…, C).
///
/// @param eps ε
public record LayerNorm(double eps) implements Fused {
    @Override
    public List<Spec> infer(List<Spec> in) {
        Spec x = in.getFirst();
        for (int i = 1; i < 3; i++) {
            if (!in.get(i).shape().equals(Shape.of(x.shape().dim(-1)))) {
                throw new ShapeException(
                        name(),
                        (i == 1 ? "weight" : "bias") + " does not fit",
                        in.get(i) + " for " + x,
                        "[" + x.shape().dim(-1) + "]",
                        "");
            }
        }
        return List.of(x.widened());
    }

    @Override
    public Tensor[] composed(Tensor[] in) {
        Tensor centred = in[0].sub(in[0].mean(-1, true));
        Tensor scale = centred.square().mean(-1, true).affine(1, eps).rsqrt();
        return new Tensor[] {centred.mul(scale).mul(in[1]).add(in[2])};
    }

    @Override
    public Op backward(boolean[] needs) {
        return new Grad(eps, needs[0], needs[1], needs[2]);
    }

    /// The gradients of [LayerNorm] in one pass: inputs x, w, b, dy; outputs dx, dw, db as needed.
    ///
    /// @param eps ε
    /// @param dx whether the gradient of x is wanted
    /// @param dw whether the gradient of w is wanted
    /// @param db whether the gradient of b is wanted
    public record Grad(double eps, boolean dx, boolean dw, boolean db) implements BackwardOp {
        @Override
        public List<Spec> infer(List<Spec> in) {
            boolean[] wanted = {dx, dw, db};
            return IntStream.range(0, 3)
                    .filter(i -> wanted[i])
                    .mapToObj(i -> in.get(i).widened())
                    .toList();
        }
    }

    public static List<Sample> samples() {
        return List.of(sample(1e-5, 3, 17), sample(1e-12, 2, 32), sample(1e-5, 5, 8));
    }

    private static Sample sample(double eps, int rows, int width) {
        return Sample.of(
                new LayerNorm(eps),
                Arg.uniform(-2, 2, rows, width),
                Arg.uniform(0.5, 2, width),
                Arg.uniform(-1, 1, width));
    }
}
