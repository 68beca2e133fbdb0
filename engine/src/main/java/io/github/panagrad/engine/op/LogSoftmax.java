package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.BackwardOp;
import io.github.panagrad.engine.tape.Fused;
import io.github.panagrad.engine.tape.Node;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Logarithm of the softmax over the last dimension, x − logSumExp(x). Shapes: (…, C) → (…, C).
public record LogSoftmax() implements Fused {
    @Override
    public List<Spec> infer(List<Spec> in) {
        in.getFirst().shape().axis(-1);
        return List.of(in.getFirst().widened());
    }

    @Override
    public Tensor[] composed(Tensor[] in) {
        return new Tensor[] {in[0].sub(in[0].logSumExp(-1, true))};
    }

    @Override
    public @Nullable Tensor[] plainVjp(Node node, @Nullable Tensor[] dy) {
        Tensor d = node.grad(dy, 0);
        return new Tensor[] {d.sub(node.output(0).exp().mul(d.sum(-1, true)))};
    }

    @Override
    public boolean savesInput(int i) {
        return false;
    }

    @Override
    public boolean savesOutput(int i) {
        return true;
    }

    @Override
    public Op backward(boolean[] needs) {
        return new Grad();
    }

    /// The gradient of [LogSoftmax] in one pass: inputs y and dy, output dx.
    public record Grad() implements BackwardOp {
        @Override
        public List<Spec> infer(List<Spec> in) {
            return List.of(in.getFirst());
        }
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new LogSoftmax(), Arg.uniform(-4, 4, 17)),
                Sample.of(new LogSoftmax(), Arg.uniform(-40, 40, 2, 3, 35)));
    }
}
