package io.github.panagrad.engine.op;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;

/// The loss of a linear head in plain ops, logits and all: what the fused heads are held against.
///
/// @param options smoothing, cap, filter
/// @param z capped logits (N, V)
/// @param lse log-sum-exp (N)
/// @param oneHot one-hot targets (N, V), zeros where ignored
/// @param live 1 where the token counts, 0 where it is ignored (N)
record PlainHead(HeadOptions options, Tensor z, Tensor lse, Tensor oneHot, Tensor live) {
    static PlainHead of(Tensor hidden, Tensor weight, Tensor targets, HeadOptions options) {
        Tensor raw = hidden.matmul(weight.to(hidden.dtype()).transpose());
        double cap = options.softCap();
        Tensor z = cap == 0 ? raw : raw.mul(1 / cap).tanh().mul(cap);
        int vocabulary = weight.dim(0);
        Tensor ignored =
                Ops.indices(new int[] {options.ignoreIndex()}).reshape().to(targets.device());
        Tensor live = targets.ne(ignored).to(hidden.dtype());
        Tensor oneHot = Ops.oneHot(targets, vocabulary, hidden.dtype()).mul(live.reshape(-1, 1));
        return new PlainHead(options, z, z.logSumExp(-1, false), oneHot, live);
    }

    /// Returns lse − z of the target, 0 where ignored. Shapes: (N).
    Tensor nll() {
        return lse.mul(live).sub(z.mul(oneHot).sum(-1, false));
    }

    /// Returns the loss of each token with smoothing and z-loss, 0 where ignored. Shapes: (N).
    Tensor loss() {
        Tensor plain = lse.sub(z.mul(target()).sum(-1, false));
        return plain.add(lse.square().mul(options.zLoss())).mul(live);
    }

    private Tensor target() {
        double e = options.labelSmoothing();
        return oneHot.affine(1 - e, e / z.dim(1));
    }

    /// Returns the softmax. Shapes: (N, V).
    Tensor probabilities() {
        return z.sub(lse.reshape(-1, 1)).exp();
    }

    /// Returns the entropy of the softmax, 0 where ignored. Shapes: (N).
    Tensor entropy() {
        return lse.sub(probabilities().mul(z).sum(-1, false)).mul(live);
    }

    /// Returns ∂(Σ wᵢ·ℓᵢ)/∂z. Shapes: weights (N) → (N, V).
    Tensor gradient(Tensor weights) {
        Tensor slope = lse.mul(2 * options.zLoss()).add(1).reshape(-1, 1);
        return probabilities().mul(slope).sub(target()).mul(weights.mul(live).reshape(-1, 1));
    }

    /// Zeroes the entries whose softmax is below the filter, the target's excepted.
    Tensor filtered(Tensor dz) {
        if (options.filter() == 0) {
            return dz;
        }
        Tensor threshold =
                Ops.full(
                                dz.dtype(),
                                io.github.panagrad.engine.ground.Shape.SCALAR,
                                options.filter())
                        .to(dz.device());
        Tensor large = probabilities().ge(threshold).to(dz.dtype());
        return dz.mul(large.maximum(oneHot));
    }

    /// Turns ∂/∂z into ∂/∂(logits before the cap).
    Tensor throughCap(Tensor dz) {
        double cap = options.softCap();
        return cap == 0 ? dz : dz.mul(z.mul(1 / cap).square().affine(-1, 1));
    }
}
