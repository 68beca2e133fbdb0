package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Multiplication by and addition of numbers, y = scale·x + shift. Shapes: (*) → (*).
///
/// @param scale the factor
/// @param shift what is added
public record Affine(double scale, double shift) implements Unary {
    @Override
    public double eval(double x) {
        return scale * x + shift;
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        return dy.mul(scale);
    }

    @Override
    public boolean acceptsIntegers() {
        return scale == Math.rint(scale) && shift == Math.rint(shift);
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        return new Tensor[] {node.grad(dy, 0).mul(scale)};
    }

    @Override
    public boolean savesInput(int i) {
        return false;
    }

    public static List<Sample> samples() {
        return Sample.unary(() -> new Affine(-1.5, 0.25), -4, 4);
    }
}
