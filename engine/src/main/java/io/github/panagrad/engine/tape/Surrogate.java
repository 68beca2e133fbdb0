package io.github.panagrad.engine.tape;

import io.github.panagrad.engine.Tensor;

/// An op whose derivative is, on purpose, that of another function: its own is zero or not there.
///
/// The tests hold [Op#vjp] against the derivative of [#surrogate] instead of the op's own, and do not
/// differentiate twice.
public interface Surrogate extends Op {
    /// Computes the function whose derivative stands for the op's, in plain differentiable ops.
    Tensor[] surrogate(Tensor[] in);
}
