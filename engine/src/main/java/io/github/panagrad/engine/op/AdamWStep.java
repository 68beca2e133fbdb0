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

/// One step of Adam with decoupled weight decay (Loshchilov, Hutter, arXiv 1711.05101, algorithm
/// 2).
///
/// Inputs parameter, gradient, first and second moment; outputs parameter and moments, which may
/// share memory with the inputs. Shapes: all equal.
///
/// @param lr learning rate
/// @param beta1 decay of the first moment
/// @param beta2 decay of the second moment
/// @param eps added to the root of the second moment
/// @param weightDecay decay a step, multiplied by the learning rate
/// @param step number of this step, from 1
/// @param gradScale what the gradient is multiplied by first: clipping, averaging
public record AdamWStep(
        double lr,
        double beta1,
        double beta2,
        double eps,
        double weightDecay,
        long step,
        double gradScale)
        implements Op {
    @Override
    public List<Spec> infer(List<Spec> in) {
        return List.of(in.get(0), in.get(2), in.get(3));
    }

    @Override
    public void eval(View[] in, View[] out) {
        for (long i = 0; i < in[0].shape().size(); i++) {
            double g = in[1].get(i) * gradScale;
            double m = beta1 * in[2].get(i) + (1 - beta1) * g;
            double v = beta2 * in[3].get(i) + (1 - beta2) * g * g;
            out[0].set(i, update(in[0].get(i), m, v, step));
            out[1].set(i, m);
            out[2].set(i, v);
        }
    }

    /// Returns one entry after the step.
    double update(double w, double m, double v, long steps) {
        double mHat = m / (1 - Math.pow(beta1, steps));
        double vHat = v / (1 - Math.pow(beta2, steps));
        return w - lr * weightDecay * w - lr * mHat / (Math.sqrt(vHat) + eps);
    }

    @Override
    public @Nullable Tensor[] vjp(Node node, @Nullable Tensor[] dy) {
        throw new UnsupportedOperationException("an optimizer step is not differentiated");
    }

    public static List<Sample> samples() {
        return List.of(sample(1, 0.01, 35), sample(7, 0, 4, 17), sample(1000, 0.1, 16));
    }

    private static Sample sample(long step, double decay, int... dims) {
        return Sample.of(
                new AdamWStep(1e-2, 0.9, 0.999, 1e-8, decay, step, 0.5),
                Arg.constant(-1, 1, dims),
                Arg.constant(-1, 1, dims),
                Arg.constant(-1, 1, dims),
                Arg.constant(0.01, 1, dims));
    }
}
