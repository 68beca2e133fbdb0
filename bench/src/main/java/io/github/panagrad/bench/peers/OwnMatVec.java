package io.github.panagrad.bench.peers;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import java.util.List;

/// A linear layer on one row, as in decoding, with weights of some type.
final class OwnMatVec implements Side {
    private final Tensor x;
    private final Tensor weight;

    /// @param stored whether to read the weights in their type; else widened to F32 beforehand
    OwnMatVec(Problem.MatVec p, boolean stored) {
        x = Ops.tensor(Inputs.normal("x", p.columns()), 1, p.columns());
        Tensor drawn =
                Ops.tensor(Inputs.normal("w", p.rows() * p.columns()), p.rows(), p.columns());
        Tensor narrow = drawn.to(p.type());
        weight = stored ? narrow : narrow.to(DType.F32);
    }

    @Override
    public void run() {
        Ops.scope(() -> {
            Ops.noGrad(() -> Ops.linear(x, weight, null));
        });
    }

    @Override
    public List<float[]> results() {
        return List.of(Ops.linear(x, weight, null).toFloats());
    }
}
