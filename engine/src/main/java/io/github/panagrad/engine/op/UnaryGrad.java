package io.github.panagrad.engine.op;

import io.github.panagrad.engine.spi.Spec;
import io.github.panagrad.engine.tape.BackwardOp;
import java.util.List;

/// The gradient of a [Unary] op in one pass: inputs x (or y, where the op uses its output) and dy.
///
/// @param of the op that is differentiated
public record UnaryGrad(Unary of) implements BackwardOp {
    @Override
    public List<Spec> infer(List<Spec> in) {
        return List.of(in.getFirst().widened());
    }
}
