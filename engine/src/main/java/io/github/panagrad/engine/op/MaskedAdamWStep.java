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

/// [AdamWStep] on some entries of a parameter, with state for these alone; the others keep their
/// bits.
///
/// Inputs parameter (*), gradient (*), moments (K), steps I32 (K), entries I32 (K): row-major
/// numbers, ascending. Outputs parameter, moments and steps, which may share memory with the
/// inputs. Every entry counts its own steps, so that one that goes live later starts afresh.
///
/// @param of the step; its own step number is not used
public record MaskedAdamWStep(AdamWStep of) implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        return List.of(in.get(0), in.get(2), in.get(3), in.get(4));
    }

    @Override
    public void eval(View[] in, View[] out) {
        if (out[0].storage() != in[0].storage()) {
            for (long i = 0; i < in[0].shape().size(); i++) {
                out[0].set(i, in[0].get(i));
            }
        }
        for (long k = 0; k < in[5].shape().size(); k++) {
            long i = in[5].getLong(k);
            double g = in[1].get(i) * of.gradScale();
            double m = of.beta1() * in[2].get(k) + (1 - of.beta1()) * g;
            double v = of.beta2() * in[3].get(k) + (1 - of.beta2()) * g * g;
            long steps = in[4].getLong(k) + 1;
            out[0].set(i, of.update(in[0].get(i), m, v, steps));
            out[1].set(k, m);
            out[2].set(k, v);
            out[3].setLong(k, steps);
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        throw new UnsupportedOperationException("an optimizer step is not differentiated");
    }

    public static List<Sample> samples() {
        var step = new MaskedAdamWStep(new AdamWStep(1e-2, 0.9, 0.999, 1e-8, 0.1, 1, 1));
        return List.of(
                Sample.of(
                        step,
                        Arg.constant(-1, 1, 9, 5),
                        Arg.constant(-1, 1, 9, 5),
                        Arg.constant(-1, 1, 1),
                        Arg.constant(0.01, 1, 1),
                        Arg.index(9, 1),
                        Arg.index(45, 1)));
    }
}
