package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Copy row by row, converted to a dtype; also how a strided tensor becomes contiguous.
///
/// Shapes: (*) → (*). Real numbers become integers by truncation, truth values by `!= 0`.
///
/// @param dtype that of the result
public record Cast(DType dtype) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        return List.of(in.getFirst().with(dtype));
    }

    @Override
    public void eval(View[] in, View[] out) {
        boolean integers =
                !in[0].dtype().isFloating() && !dtype.isFloating() && dtype != DType.BOOL;
        for (long i = 0; i < out[0].shape().size(); i++) {
            if (integers) {
                out[0].setLong(i, in[0].getLong(i));
            } else {
                out[0].set(i, in[0].get(i));
            }
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        return new Tensor[] {node.grad(dy, 0).to(node.inputSpec(0).dtype())};
    }

    @Override
    public boolean savesInput(int i) {
        return false;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Cast(DType.F32), Arg.constant(-2, 2, 3, 17)),
                Sample.of(new Cast(DType.BF16), Arg.constant(-2, 2, 3, 17)),
                Sample.of(new Cast(DType.F16), Arg.constant(-2, 2, 2, 3, 16)),
                Sample.of(new Cast(DType.I32), Arg.constant(-20, 20, 35)),
                Sample.of(new Cast(DType.I64), Arg.index(99, 5)),
                Sample.of(new Cast(DType.F32), Arg.mask(4, 5)));
    }
}
