package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Sample;
import io.github.panagrad.engine.tape.Surrogate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A step, 1 above a threshold and 0 up to it, whose gradient passes straight through, as if it were
/// the identity (Bengio, Léonard, Courville, arXiv 1308.3432, section 3). Shapes: (*) → (*).
///
/// Not a true gradient: that of a step is zero.
///
/// @param threshold where the step is, rounded to F32
public record StraightThrough(double threshold) implements Unary, Surrogate {
    /// Rounds the threshold, so that all dtypes and devices have the same.
    public StraightThrough {
        float rounded = (float) threshold;
        threshold = rounded;
    }

    @Override
    public double eval(double x) {
        return Double.isNaN(x) ? x : x > threshold ? 1 : 0;
    }

    @Override
    public Tensor vjp(Tensor x, Tensor y, Tensor dy) {
        return dy;
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        return new Tensor[] {node.grad(dy, 0)};
    }

    @Override
    public boolean savesInput(int i) {
        return false;
    }

    @Override
    public Tensor[] surrogate(Tensor[] in) {
        return new Tensor[] {in[0]};
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new StraightThrough(0.055), Arg.distinct(17)),
                Sample.of(new StraightThrough(-0.055), Arg.distinct(2, 35)),
                Sample.of(new StraightThrough(0), Arg.uniform(-1, 1)));
    }
}
