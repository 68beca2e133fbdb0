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

/// Elementwise logic on truth values. Shapes: BOOL broadcast → BOOL.
///
/// @param how which connective
public record Logical(How how) implements Op {
    /// The connectives.
    public enum How {
        /// Both.
        AND,
        /// At least one.
        OR,
        /// Exactly one.
        XOR
    }

    @Override
    public List<Spec> infer(List<Spec> in) {
        if (in.get(0).dtype() != DType.BOOL || in.get(1).dtype() != DType.BOOL) {
            throw new ShapeException(
                    name(),
                    "not truth values",
                    in.get(0) + " and " + in.get(1),
                    "bool",
                    "compare first");
        }
        return List.of(
                in.get(0).with(Shape.broadcast(name(), in.get(0).shape(), in.get(1).shape())));
    }

    @Override
    public void eval(View[] in, View[] out) {
        View a = Binary.expanded(in[0], out[0].shape());
        View b = Binary.expanded(in[1], out[0].shape());
        for (long i = 0; i < out[0].shape().size(); i++) {
            boolean x = a.get(i) != 0;
            boolean y = b.get(i) != 0;
            boolean result =
                    switch (how) {
                        case AND -> x && y;
                        case OR -> x || y;
                        case XOR -> x != y;
                    };
            out[0].set(i, result ? 1 : 0);
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        throw new IllegalStateException("truth values have no gradient");
    }

    public static List<Sample> samples() {
        var samples = new ArrayList<Sample>();
        for (How how : How.values()) {
            samples.addAll(Sample.binary(() -> new Logical(how), Arg.mask(), Arg.mask()));
        }
        return samples;
    }
}
