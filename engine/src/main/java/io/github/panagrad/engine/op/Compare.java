package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Elementwise comparison; NaN compares as IEEE says. Shapes: broadcast → BOOL.
///
/// @param how which comparison
public record Compare(How how) implements Op {
    /// The comparisons.
    public enum How {
        /// Equal.
        EQ,
        /// Not equal.
        NE,
        /// Less.
        LT,
        /// Less or equal.
        LE,
        /// Greater.
        GT,
        /// Greater or equal.
        GE;

        /// Compares two numbers.
        public boolean test(double a, double b) {
            return switch (this) {
                case EQ -> a == b;
                case NE -> a != b;
                case LT -> a < b;
                case LE -> a <= b;
                case GT -> a > b;
                case GE -> a >= b;
            };
        }
    }

    @Override
    public List<Spec> infer(List<Spec> in) {
        Spec a = in.get(0).widened();
        Spec b = in.get(1).widened();
        if (a.dtype() != b.dtype()) {
            throw new ShapeException(
                    name(),
                    "dtypes differ",
                    a + " and " + b,
                    "one dtype",
                    "convert with to(DType)");
        }
        return List.of(new Spec(Shape.broadcast(name(), a.shape(), b.shape()), DType.BOOL));
    }

    @Override
    public void eval(View[] in, View[] out) {
        View a = Binary.expanded(in[0], out[0].shape());
        View b = Binary.expanded(in[1], out[0].shape());
        for (long i = 0; i < out[0].shape().size(); i++) {
            out[0].set(i, how.test(a.get(i), b.get(i)) ? 1 : 0);
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        throw new IllegalStateException("truth values have no gradient");
    }

    public static List<Sample> samples() {
        var samples = new ArrayList<Sample>();
        for (How how : How.values()) {
            samples.addAll(
                    Sample.binary(
                            () -> new Compare(how), Arg.constant(-1, 1), Arg.constant(-1, 1)));
            samples.add(Sample.of(new Compare(how), Arg.index(3, 35), Arg.index(3, 35)));
        }
        return samples;
    }
}
