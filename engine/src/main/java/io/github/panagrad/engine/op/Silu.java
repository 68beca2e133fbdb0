package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Swish, y = x·σ(x) (Elfwing, Uchibe, Doya, arXiv 1702.03118). Shapes: (*) → (*).
public record Silu() implements Unary {
    @Override
    public double eval(double x) {
        return x / (1 + Math.exp(-x));
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        Tensor s = x.sigmoid();
        return dy.mul(s.mul(x.mul(s.affine(-1, 1)).affine(1, 1)));
    }

    public static List<Sample> samples() {
        return Sample.unary(Silu::new, -4, 4);
    }
}
