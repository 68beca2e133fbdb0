package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Layout;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import io.github.panagrad.engine.tape.Tape;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Windows added up where they lie over each other: the reverse of [Unfold].
///
/// Shapes: (A…, L, B…, size) → (A…, extent, B…).
///
/// @param dim the dimension, not negative
/// @param step how far apart windows start
/// @param dilation how far apart a window's elements are
/// @param extent the dimension's extent in the result
public record Fold(int dim, int step, int dilation, int extent) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        Spec windows = in.getFirst().widened();
        return List.of(windows.with(windows.shape().without(-1).with(dim, extent)));
    }

    @Override
    public void eval(View[] in, View[] out) {
        Shape shape = in[0].shape();
        double[] sums = new double[out[0].shape().intSize()];
        Layout target =
                Layout.contiguous(out[0].shape())
                        .unfold(dim, shape.dim(dim), step, shape.dim(-1), dilation);
        for (long i = 0; i < shape.size(); i++) {
            sums[(int) target.position(i)] += in[0].get(i);
        }
        for (int i = 0; i < sums.length; i++) {
            out[0].set(i, sums[i]);
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        Shape in = node.inputSpec(0).shape();
        int size = in.dim(-1);
        // The extent may be longer than what the windows reach, even by room for another one.
        int reach = (in.dim(dim) - 1) * step + (size - 1) * dilation + 1;
        Tensor reached = node.grad(dy, 0).narrow(dim, 0, reach);
        return new Tensor[] {Tape.one(new Unfold(dim, size, step, dilation), reached)};
    }

    @Override
    public boolean savesInput(int i) {
        return false;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Fold(0, 1, 1, 7), Arg.uniform(-2, 2, 5, 3)),
                Sample.of(new Fold(1, 3, 1, 9), Arg.uniform(-2, 2, 2, 3, 2)),
                Sample.of(new Fold(1, 2, 2, 10), Arg.uniform(-2, 2, 2, 3, 3, 3)));
    }
}
