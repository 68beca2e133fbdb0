package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Absolute value; the derivative at 0 is 0. Shapes: (*) → (*).
public record Abs() implements Unary {
    @Override
    public double eval(double x) {
        return Math.abs(x);
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        return dy.mul(x.sign());
    }

    @Override
    public boolean acceptsIntegers() {
        return true;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Abs(), Arg.distinct(17)), Sample.of(new Abs(), Arg.distinct(2, 35)));
    }
}
