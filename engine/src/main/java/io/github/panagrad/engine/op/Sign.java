package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Sign, −1, 0 or 1; its derivative is 0. Shapes: (*) → (*).
public record Sign() implements Unary {
    @Override
    public double eval(double x) {
        return Math.signum(x);
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        return dy.mul(0);
    }

    @Override
    public boolean acceptsIntegers() {
        return true;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Sign(), Arg.distinct(17)),
                Sample.of(new Sign(), Arg.distinct(2, 35)));
    }
}
