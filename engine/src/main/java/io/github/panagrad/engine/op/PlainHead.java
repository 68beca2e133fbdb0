package io.github.panagrad.engine.op;

import io.github.panagrad.engine.HeadFilter;
import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.Shape;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

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

    /// Returns p − target, the gradient of each token's cross-entropy before any weight; zeros where
    /// ignored. Shapes: (N, V).
    private Tensor ownGradient() {
        return probabilities().sub(target()).mul(live.reshape(-1, 1));
    }

    /// What the filter says of the gradient.
    ///
    /// @param kept 1 for entries that flow on, else 0 (N, V); null if all do
    /// @param dropped the share of Σ|G| that does not
    record Filtered(@Nullable Tensor kept, Tensor dropped) {
        /// Zeroes what does not flow on.
        Tensor of(Tensor dz) {
            return kept == null ? dz : dz.mul(kept);
        }
    }

    /// Applies the filter to the tokens that count.
    Filtered filtered() {
        if (!options.filter().isOn() || live.sum().item() == 0) {
            return new Filtered(null, Ops.full(z.dtype(), Shape.SCALAR, 0).to(z.device()));
        }
        Tensor size = ownGradient().abs();
        Tensor kept = kept(size);
        Tensor total = size.sum();
        return new Filtered(kept, total.sub(size.mul(kept).sum()).div(total));
    }

    private Tensor kept(Tensor size) {
        int[] numbers = new int[size.dim(0)];
        int[] places = new int[numbers.length];
        int count = 0;
        double[] counts = live.toDoubles();
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = counts[i] == 0 ? 0 : count;
            if (counts[i] != 0) {
                places[count++] = i;
            }
        }
        Tensor rows = Ops.indices(Arrays.copyOf(places, count)).to(size.device());
        Tensor flags = blockFlags(size.indexSelect(0, rows), z.indexSelect(0, rows));
        // Ignored tokens take any flags: their gradient is zero.
        return flags.indexSelect(0, Ops.indices(numbers).to(size.device()));
    }

    /// Flags the entries of blocks in which some size reaches the threshold.
    private Tensor blockFlags(Tensor size, Tensor logits) {
        HeadFilter filter = options.filter();
        Tensor order = filter.reorders() ? logits.mean(0, false).sort(0, true).indices() : null;
        Tensor ordered = order == null ? size : size.indexSelect(1, order);
        int n = ordered.dim(0);
        int v = ordered.dim(1);
        int high = Math.ceilDiv(n, filter.tokens());
        int wide = Math.ceilDiv(v, filter.entries());
        Tensor most =
                ordered.pad(0, 0, high * filter.tokens() - n)
                        .pad(1, 0, wide * filter.entries() - v)
                        .reshape(high, filter.tokens(), wide, filter.entries())
                        .max(3, true)
                        .max(1, true);
        Tensor flags =
                most.ge(filter.threshold())
                        .to(size.dtype())
                        .expand(Shape.of(high, filter.tokens(), wide, filter.entries()))
                        .reshape(high * filter.tokens(), wide * filter.entries())
                        .narrow(0, 0, n)
                        .narrow(1, 0, v);
        return order == null
                ? flags
                : flags.indexSelect(1, order.to(size.dtype()).sort(0, false).indices());
    }

    /// Turns ∂/∂z into ∂/∂(logits before the cap).
    Tensor throughCap(Tensor dz) {
        double cap = options.softCap();
        return cap == 0 ? dz : dz.mul(z.mul(1 / cap).square().affine(-1, 1));
    }
}
