package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;

/// Leaky rectifier, x where positive, else slope·x; the derivative at 0 is the slope.
/// Shapes: (*) → (*).
///
/// @param slope the factor below 0
public record LeakyRelu(double slope) implements Unary {
    @Override
    public double eval(double x) {
        return x > 0 ? x : slope * x;
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        return dy.mul(x.gt(0).to(dy.dtype()).affine(1 - slope, slope));
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new LeakyRelu(0.1), Arg.distinct(17)),
                Sample.of(new LeakyRelu(0.1), Arg.distinct(2, 35)));
    }
}
