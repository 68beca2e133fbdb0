package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.spi.View;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Zeros with the operand written into every `step`-th element of one dimension: the reverse of
/// [Slice], and padding.
///
/// @param dim the dimension, not negative
/// @param start where the first element goes
/// @param step how far apart
/// @param extent the dimension's extent in the result
public record Unslice(int dim, int start, int step, int extent) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        return List.of(in.getFirst().widened().with(in.getFirst().shape().with(dim, extent)));
    }

    @Override
    public void eval(View[] in, View[] out) {
        for (long i = 0; i < out[0].shape().size(); i++) {
            out[0].set(i, 0);
        }
        View window =
                new View(out[0].storage(), out[0].layout().slice(dim, start, in[0].dim(dim), step));
        for (long i = 0; i < in[0].shape().size(); i++) {
            window.set(i, in[0].get(i));
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        return new Tensor[] {
            node.grad(dy, 0).slice(dim, start, node.inputSpec(0).shape().dim(dim), step)
        };
    }

    @Override
    public boolean savesInput(int i) {
        return false;
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new Unslice(0, 2, 1, 8), Arg.uniform(-2, 2, 3)),
                Sample.of(new Unslice(1, 1, 2, 9), Arg.uniform(-2, 2, 3, 4)),
                Sample.of(new Unslice(0, 0, 1, 3), Arg.uniform(-2, 2, 2, 17)));
    }
}
