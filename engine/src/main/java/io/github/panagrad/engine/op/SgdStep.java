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

/// One step of gradient descent with heavy-ball momentum: b ← μ·b + g + λ·w, w ← w − lr·b.
///
/// Inputs parameter, gradient, buffer b; outputs parameter and buffer, which may share memory with
/// the inputs. Shapes: all equal.
///
/// @param lr learning rate
/// @param momentum μ
/// @param weightDecay λ, added to the gradient
/// @param gradScale what the gradient is multiplied by first
public record SgdStep(double lr, double momentum, double weightDecay, double gradScale)
        implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        return List.of(in.get(0), in.get(2));
    }

    @Override
    public void eval(View[] in, View[] out) {
        for (long i = 0; i < in[0].shape().size(); i++) {
            double w = in[0].get(i);
            double b = momentum * in[2].get(i) + in[1].get(i) * gradScale + weightDecay * w;
            out[0].set(i, w - lr * b);
            out[1].set(i, b);
        }
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        throw new UnsupportedOperationException("an optimizer step is not differentiated");
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(
                        new SgdStep(0.1, 0.9, 0.01, 0.5),
                        Arg.constant(-1, 1, 3, 17),
                        Arg.constant(-1, 1, 3, 17),
                        Arg.constant(-1, 1, 3, 17)));
    }
}
