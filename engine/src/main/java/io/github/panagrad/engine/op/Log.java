package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Natural logarithm. Shapes: (*) → (*).
public record Log() implements Unary {
    @Override
    public double eval(double x) {
        return Math.log(x);
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        return dy.div(x);
    }

    public static List<Sample> samples() {
        return Sample.unary(Log::new, 0.2, 4);
    }
}
