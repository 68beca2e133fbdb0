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

/// [SgdStep] on some entries of a parameter, with a buffer for these alone; the others keep their
/// bits.
///
/// Inputs parameter (*), gradient (*), buffer (K), steps I32 (K), entries I32 (K): row-major
/// numbers, ascending. Outputs parameter, buffer and steps, which may share memory with the inputs.
///
/// @param of the step
public record MaskedSgdStep(SgdStep of) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        return List.of(in.get(0), in.get(2), in.get(3));
    }

    @Override
    public void eval(View[] in, View[] out) {
        if (out[0].storage() != in[0].storage()) {
            for (long i = 0; i < in[0].shape().size(); i++) {
                out[0].set(i, in[0].get(i));
            }
        }
        for (long k = 0; k < in[4].shape().size(); k++) {
            long i = in[4].getLong(k);
            double w = in[0].get(i);
            double b =
                    of.momentum() * in[2].get(k)
                            + in[1].get(i) * of.gradScale()
                            + of.weightDecay() * w;
            out[0].set(i, w - of.lr() * b);
            out[1].set(k, b);
            out[2].setLong(k, in[3].getLong(k) + 1);
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        throw new UnsupportedOperationException("an optimizer step is not differentiated");
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(
                        new MaskedSgdStep(new SgdStep(1e-2, 0.9, 0.1, 0.5)),
                        Arg.constant(-1, 1, 9, 5),
                        Arg.constant(-1, 1, 9, 5),
                        Arg.constant(-1, 1, 1),
                        Arg.index(9, 1),
                        Arg.index(45, 1)));
    }
}
