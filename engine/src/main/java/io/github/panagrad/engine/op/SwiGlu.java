package io.github.panagrad.engine.op;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.tape.Arg;
import io.github.panagrad.engine.tape.BackwardOp;
import io.github.panagrad.engine.tape.Fused;
import io.github.panagrad.engine.tape.Op;
import io.github.panagrad.engine.tape.Sample;
import java.util.List;
import java.util.stream.IntStream;

/// The gate of Llama's feed-forward block, y = silu(gate)·up (Shazeer, arXiv 2002.05202).
///
/// Shapes: gate (*), up (*) → (*).
public record SwiGlu() implements Fused {
    @Override
    public List<Spec> infer(List<Spec> in) {
        if (!in.get(0).shape().equals(in.get(1).shape())) {
            throw new ShapeException(
                    name(), "shapes differ", in.get(0) + " and " + in.get(1), "equal shapes", "");
        }
        return List.of(in.getFirst().widened());
    }

    @Override
    public Tensor[] composed(Tensor[] in) {
        return new Tensor[] {Ops.silu(in[0]).mul(in[1])};
    }

    @Override
    public Op backward(boolean[] needs) {
        return new Grad(needs[0], needs[1]);
    }

    /// The gradients of [SwiGlu] in one pass: inputs gate, up, dy; outputs as needed.
    ///
    /// @param dGate whether the gradient of the gate is wanted
    /// @param dUp whether the gradient of up is wanted
    public record Grad(boolean dGate, boolean dUp) implements BackwardOp {
        @Override
        public List<Spec> infer(List<Spec> in) {
            boolean[] wanted = {dGate, dUp};
            return IntStream.range(0, 2)
                    .filter(i -> wanted[i])
                    .mapToObj(i -> in.get(i).widened())
                    .toList();
        }
    }

    public static List<Sample> samples() {
        return List.of(
                Sample.of(new SwiGlu(), Arg.uniform(-3, 3, 17), Arg.uniform(-2, 2, 17)),
                Sample.of(
                        new SwiGlu(), Arg.uniform(-3, 3, 2, 3, 16), Arg.uniform(-2, 2, 2, 3, 16)));
    }
}
