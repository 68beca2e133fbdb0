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
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Choice, a where the mask is true, else b. Shapes: mask BOOL, a, b broadcast.
public record Where() implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        Spec a = in.get(1).widened();
        Spec b = in.get(2).widened();
        if (in.get(0).dtype() != DType.BOOL || a.dtype() != b.dtype()) {
            throw new ShapeException(
                    name(),
                    "dtypes do not fit",
                    in.get(0) + ", " + a + ", " + b,
                    "a bool mask and two operands of one dtype",
                    "");
        }
        Shape both = Shape.broadcast(name(), a.shape(), b.shape());
        return List.of(a.with(Shape.broadcast(name(), in.get(0).shape(), both)));
    }

    @Override
    public void eval(View[] in, View[] out) {
        View mask = Binary.expanded(in[0], out[0].shape());
        View a = Binary.expanded(in[1], out[0].shape());
        View b = Binary.expanded(in[2], out[0].shape());
        for (long i = 0; i < out[0].shape().size(); i++) {
            out[0].set(i, mask.get(i) != 0 ? a.get(i) : b.get(i));
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        Tensor d = node.grad(dy, 0);
        Tensor keep = node.input(0).to(d.dtype());
        return new @Nullable Tensor[] {
            null,
            node.needs(1) ? d.mul(keep).sumTo(node.inputSpec(1).shape()) : null,
            node.needs(2) ? d.mul(keep.affine(-1, 1)).sumTo(node.inputSpec(2).shape()) : null
        };
    }

    @Override
    public boolean savesInput(int i) {
        return i == 0;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(
                        new Where(), Arg.mask(35), Arg.uniform(-2, 2, 35), Arg.uniform(-2, 2, 35)),
                Sample.of(new Where(), Arg.mask(3, 1), Arg.uniform(-2, 2, 17), Arg.uniform(-2, 2)),
                Sample.of(
                        new Where(),
                        Arg.mask(4, 5),
                        Arg.uniform(-2, 2, 2, 4, 5),
                        Arg.uniform(-2, 2, 4, 1)));
    }
}
