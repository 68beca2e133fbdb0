package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Rectifier, max(x, 0); the derivative at 0 is 0. Shapes: (*) → (*).
public record Relu() implements Unary {
    @Override
    public double eval(double x) {
        return x > 0 || Double.isNaN(x) ? x : 0;
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        return dy.mul(x.gt(0).to(dy.dtype()));
    }

    @Override
    public boolean acceptsIntegers() {
        return true;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Relu(), Arg.distinct(17)),
                Sample.of(new Relu(), Arg.distinct(2, 35)));
    }
}
