package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.BlockStorage;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.ShapeException;
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
/// Shapes: (*) → (*). Real numbers become integers by truncation, truth values by `!= 0`. For types of
/// blocks, rows of the last dimension are quantised anew, except in a copy to the same type, which
/// keeps rows as they are.
///
/// @param dtype that of the result
public record Cast(DType dtype) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        return List.of(in.getFirst().with(dtype));
    }

    @Override
    public void eval(View[] in, View[] out) {
        if (dtype.isBlock()) {
            quantise(in[0], out[0]);
            return;
        }
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

    private void quantise(View in, View out) {
        if (in.dtype() == dtype) {
            copyRows(in, out);
            return;
        }
        var storage = (BlockStorage) out.storage();
        int inner = storage.inner();
        float[] values = new float[inner];
        for (int row = 0; row < out.size() / Math.max(1, inner); row++) {
            for (int i = 0; i < inner; i++) {
                values[i] = (float) in.get((long) row * inner + i);
            }
            storage.quantise(row, values, 0);
        }
    }

    /// Copies whole rows of a block type without quantising them a second time.
    ///
    /// @throws ShapeException if the view has gaps, or other rows than the ones that were quantised
    public static void copyRows(View in, View out) {
        var from = (BlockStorage) in.storage();
        var to = (BlockStorage) out.storage();
        int inner = to.inner();
        if (!in.isContiguous()
                || from.inner() != inner
                || in.layout().offset() % Math.max(1, inner) != 0) {
            throw new ShapeException(
                    "cast",
                    "a copy in " + in.dtype().label() + " needs the rows that were quantised",
                    in.layout() + " of rows of " + from.inner(),
                    "whole rows that follow each other",
                    "convert with to(DType.F32), which takes any view");
        }
        long first = in.layout().offset() / Math.max(1, inner);
        to.copyRows(from, first, 0, to.length() / Math.max(1, inner));
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
                Sample.of(new Cast(DType.Q8), Arg.constant(-2, 2, 3, 70)),
                Sample.of(new Cast(DType.NF4), Arg.constant(-2, 2, 2, 3, 97)),
                Sample.of(new Cast(DType.I32), Arg.constant(-20, 20, 35)),
                Sample.of(new Cast(DType.I64), Arg.index(99, 5)),
                Sample.of(new Cast(DType.F32), Arg.mask(4, 5)));
    }
}
