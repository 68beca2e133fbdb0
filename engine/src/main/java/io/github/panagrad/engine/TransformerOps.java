package io.github.panagrad.engine;

import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.op.Attention;
import io.github.panagrad.engine.op.Dropout;
import io.github.panagrad.engine.op.LayerNorm;
import io.github.panagrad.engine.op.Linear;
import io.github.panagrad.engine.op.LinearCrossEntropy;
import io.github.panagrad.engine.op.PerTokenHead;
import io.github.panagrad.engine.op.RmsNorm;
import io.github.panagrad.engine.op.Rope;
import io.github.panagrad.engine.op.Softmax;
import io.github.panagrad.engine.op.SwiGlu;
import io.github.panagrad.engine.tape.Tape;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The functions that transformers are made of; reached through [Ops].
public abstract sealed class TransformerOps permits Ops {
    TransformerOps() {}

    /// Applies a linear layer, x·Wᵀ + b.
    ///
    /// Shapes: x (…, K), weight (N, K), bias (N) or null → (…, N).
    public static Tensor linear(Tensor x, Tensor weight, @Nullable Tensor bias) {
        return bias == null
                ? Tape.one(new Linear(), x, weight)
                : Tape.one(new Linear(), x, weight, bias);
    }

    /// Normalises by the root mean square over the last dimension.
    ///
    /// Shapes: x (…, C), weight (C) → (…, C).
    public static Tensor rmsNorm(Tensor x, Tensor weight, double eps) {
        return Tape.one(new RmsNorm(eps), x, weight);
    }

    /// Normalises to mean 0 and variance 1 over the last dimension.
    ///
    /// Shapes: x (…, C), weight (C), bias (C) → (…, C).
    public static Tensor layerNorm(Tensor x, Tensor weight, Tensor bias, double eps) {
        return Tape.one(new LayerNorm(eps), x, weight, bias);
    }

    /// Gates, silu(gate)·up. Shapes: (*), (*) → (*).
    public static Tensor swiglu(Tensor gate, Tensor up) {
        return Tape.one(new SwiGlu(), gate, up);
    }

    /// Turns scores into probabilities over one dimension.
    public static Tensor softmax(Tensor x, int dim) {
        int axis = x.shape().axis(dim);
        return axis == x.rank() - 1
                ? Tape.one(new Softmax(), x)
                : Tape.one(new Softmax(), x.transpose(axis, -1)).transpose(axis, -1);
    }

    /// Zeroes elements with probability p and scales up the others; the identity for p = 0.
    ///
    /// @param rng where one draw is taken from
    public static Tensor dropout(Tensor x, double p, Rng rng) {
        if (!(p >= 0 && p < 1)) {
            throw new PanagradException("dropout", "p out of range", "" + p, "0 to below 1", "");
        }
        return p == 0 ? x : Tape.one(new Dropout(p, rng.draw()), x);
    }

    /// Turns pairs of channels by their position.
    ///
    /// Shapes: x (B, T, H, D), positions I32 (B, T) or (T), below the table's → (B, T, H, D).
    public static Tensor rope(Tensor x, RopeTable table, Tensor positions) {
        return Tape.one(new Rope(false), x, table.cos(), table.sin(), positions);
    }

    /// Attends: every query takes the mean of the values, weighted by the softmax of its scores.
    ///
    /// Shapes: q (B, T, H, D), k and v (B, S, G, D) with H a multiple of G → (B, T, H, D).
    public static Tensor attention(Tensor q, Tensor k, Tensor v, AttentionOptions options) {
        var in = new ArrayList<Tensor>();
        in.add(q);
        in.add(k);
        in.add(v);
        if (options.keyMask() != null) {
            in.add(options.keyMask());
        }
        if (options.segments() != null) {
            in.add(options.segments());
        }
        double scale = options.scale() != 0 ? options.scale() : 1 / Math.sqrt(q.dim(-1));
        var op =
                new Attention(
                        scale,
                        options.isCausal(),
                        options.window(),
                        options.keyMask() != null,
                        options.segments() != null);
        return Tape.one(op, in.toArray(Tensor[]::new));
    }

    /// The loss of a linear head and what was learned on the way.
    ///
    /// @param loss the weighted sum of the token losses, differentiable
    /// @param nll the plain negative log-likelihood of each token in nats, 0 where ignored; (N)
    /// @param lse the log-sum-exp of each token's logits, 0 where ignored; (N), differentiable, which
    ///     costs two or three products more if it is used ([HeadOptions#zLoss] costs none)
    /// @param dropped the share of Σ|softmax − target| that the filter dropped; a scalar
    public record HeadLoss(Tensor loss, Tensor nll, Tensor lse, Tensor dropped)
            implements Scope.Holder {
        @Override
        public void forEachTensor(java.util.function.Consumer<Tensor> visitor) {
            visitor.accept(loss);
            visitor.accept(nll);
            visitor.accept(lse);
            visitor.accept(dropped);
        }
    }

    /// Computes the weighted sum of the cross-entropies of a linear head, never building its
    /// logits.
    ///
    /// Where gradients are wanted, they are computed in the same pass; for a frozen operand nothing
    /// is.
    ///
    /// Shapes: hidden (N, D), weight (V, D), targets I32 (N), tokenWeights (N).
    public static HeadLoss linearCrossEntropy(
            Tensor hidden,
            Tensor weight,
            Tensor targets,
            Tensor tokenWeights,
            HeadOptions options) {
        return linearCrossEntropy(hidden, List.of(weight), targets, tokenWeights, options);
    }

    /// Does so for a head whose rows lie in several tensors: those of new tokens beside frozen ones, or
    /// ranges of a large vocabulary. Results have the bits that one tensor would give.
    ///
    /// Shapes: hidden (N, D), weights (V₁, D), (V₂, D) … in the order of the vocabulary, targets I32
    /// (N), tokenWeights (N).
    public static HeadLoss linearCrossEntropy(
            Tensor hidden,
            List<Tensor> weights,
            Tensor targets,
            Tensor tokenWeights,
            HeadOptions options) {
        if (weights.isEmpty()) {
            throw new PanagradException(
                    "linearCrossEntropy", "no weight", "an empty list", "at least one tensor", "");
        }
        boolean recording = Tape.isRecording();
        var types = Stream.concat(Stream.of(hidden), weights.stream()).map(Tensor::dtype);
        var filter = options.filter().resolve(types.toArray(DType[]::new));
        var op =
                new LinearCrossEntropy(
                        options.filter(filter),
                        recording && hidden.requiresGrad(),
                        recording && weights.stream().anyMatch(Tensor::requiresGrad));
        var in = new ArrayList<>(List.of(hidden, weights.getFirst(), targets, tokenWeights));
        in.addAll(weights.subList(1, weights.size()));
        Tensor[] out = Tape.apply(op, in.toArray(Tensor[]::new));
        return new HeadLoss(out[0], out[1].detach(), out[3], out[2].detach());
    }

    /// The cross-entropies of a linear head, a token each; see [#perTokenHead].
    ///
    /// @param nll negative log-likelihood (N), differentiable
    /// @param lse log-sum-exp of the logits (N), differentiable
    /// @param entropy entropy of the predicted distribution (N), differentiable; null if not asked
    ///     for
    /// @param argMax the likeliest token I32 (N); null if not asked for
    public record TokenLosses(
            Tensor nll, Tensor lse, @Nullable Tensor entropy, @Nullable Tensor argMax)
            implements Scope.Holder {
        @Override
        public void forEachTensor(java.util.function.Consumer<Tensor> visitor) {
            visitor.accept(nll);
            visitor.accept(lse);
            if (entropy != null) {
                visitor.accept(entropy);
            }
            if (argMax != null) {
                visitor.accept(argMax);
            }
        }
    }

    /// Computes the cross-entropy of each token under a linear head, never building its logits.
    ///
    /// Any token-weighted or sequence-level loss is then a plain function of the result.
    ///
    /// Shapes: hidden (N, D), weight (V, D), targets I32 (N).
    public static TokenLosses perTokenHead(
            Tensor hidden,
            Tensor weight,
            Tensor targets,
            HeadOptions options,
            boolean entropy,
            boolean argMax) {
        if (hidden.rank() != 2) {
            throw new ShapeException(
                    "perTokenHead",
                    "hidden is not a matrix",
                    hidden.spec().toString(),
                    "[N,D]",
                    "reshape(-1, D) it, and the targets likewise");
        }
        Tensor[] out =
                Tape.apply(new PerTokenHead(options, entropy, argMax), hidden, weight, targets);
        return new TokenLosses(
                out[0], out[1], entropy ? out[2] : null, argMax ? out[out.length - 1] : null);
    }
}
