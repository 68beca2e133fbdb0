package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Limits to a range; the derivative is 0 outside of it and 1 inside, bounds included.
///
/// Shapes: (*) → (*).
///
/// @param low the least value
/// @param high the greatest value
public record Clamp(double low, double high) implements Unary {
    @Override
    public double eval(double x) {
        return Math.min(Math.max(x, low), high);
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        Tensor inside = x.ge(low).logicalAnd(x.le(high));
        return dy.mul(inside.to(dy.dtype()));
    }

    @Override
    public boolean acceptsIntegers() {
        return low == Math.rint(low) && high == Math.rint(high);
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Clamp(-0.055, 0.075), Arg.distinct(17)),
                Sample.of(new Clamp(-0.055, 0.075), Arg.distinct(2, 35)));
    }
}
