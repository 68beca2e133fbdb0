package io.github.panagrad.losses;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.TransformerOps.HeadLoss;
import io.github.panagrad.engine.TransformerOps.TokenLosses;
import io.github.panagrad.engine.ground.Device;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Shape;
import io.github.panagrad.engine.ground.ShapeException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Loss functions, pure and static: tensors in, a tensor out, no state.
///
/// Targets are read by the host, to be checked; they may lie there where other operands do not.
public final class Losses {
    private Losses() {}

    /// Computes the mean cross-entropy of rows of logits, −100 ignored, in nats; 0 if all are.
    ///
    /// Shapes: logits (…, C), targets I32 (…) → ().
    public static Tensor crossEntropy(Tensor logits, Tensor targets) {
        return crossEntropy(logits, targets, CrossEntropyOptions.DEFAULT);
    }

    /// Computes the cross-entropy of rows of logits in nats.
    ///
    /// A row weighs as much as its target's class; the mean divides by the sum of these weights.
    /// With smoothing, the ε/C part weighs as the target's class too.
    ///
    /// The mean of no rows is 0, and so is its gradient.
    ///
    /// Shapes: logits (…, C), targets I32 (…) → () or, unreduced, the shape of the targets.
    public static Tensor crossEntropy(Tensor logits, Tensor targets, CrossEntropyOptions options) {
        if (logits.rank() != targets.rank() + 1
                || !logits.shape().without(-1).equals(targets.shape())) {
            throw new ShapeException(
                    "crossEntropy",
                    "logits and targets do not fit",
                    logits.spec() + " and " + targets.spec(),
                    "logits […, C] and targets […]",
                    "");
        }
        int classes = logits.dim(-1);
        Tensor flat = logits.reshape(-1, classes);
        double[] weights =
                rowWeights(
                        "crossEntropy",
                        targets.toInts(),
                        classes,
                        options.ignoreIndex(),
                        options.classWeights(),
                        options.reduction());
        int[] safe = targets.toInts();
        for (int i = 0; i < safe.length; i++) {
            safe[i] = safe[i] == options.ignoreIndex() ? 0 : safe[i];
        }
        Tensor logProbabilities = Ops.logSoftmax(flat, -1);
        Tensor index = Ops.indices(safe, safe.length, 1).to(logits.device());
        Tensor picked = logProbabilities.gather(-1, index).reshape(-1);
        double e = options.labelSmoothing();
        Tensor rows =
                e == 0
                        ? picked.neg()
                        : picked.mul(e - 1).sub(logProbabilities.mean(-1, false).mul(e));
        Tensor weighted = rows.mul(Constants.like(logits, weights));
        return options.reduction() == Reduction.NONE
                ? weighted.reshape(targets.shape().toArray())
                : weighted.sum();
    }

    /// Computes the mean cross-entropy of a linear head in nats, never building its logits; 0 if every
    /// token is ignored.
    ///
    /// Shapes: hidden (…, D), weight (V, D), targets I32 (…) → ().
    public static Tensor linearCrossEntropy(Tensor hidden, Tensor weight, Tensor targets) {
        return linearCrossEntropy(hidden, weight, targets, HeadOptions.DEFAULT, Reduction.MEAN)
                .loss();
    }

    /// Computes the summed or mean cross-entropy of a linear head, with each token's plain nll and
    /// log-sum-exp beside it, and the share of the gradient that a filter dropped.
    ///
    /// Where every token is ignored, loss and gradients are 0. With [HeadOptions#CUT] and its parts
    /// this is Cut Cross-Entropy (arXiv 2411.09009); a token is to predict one further on by
    /// [#shifted] targets.
    ///
    /// Shapes: hidden (…, D), weight (V, D), targets I32 (…).
    ///
    /// @param reduction [Reduction#MEAN] or [Reduction#SUM]; for a loss a token use [#perToken]
    public static HeadLoss linearCrossEntropy(
            Tensor hidden,
            Tensor weight,
            Tensor targets,
            HeadOptions options,
            Reduction reduction) {
        return linearCrossEntropy(hidden, List.of(weight), targets, options, reduction);
    }

    /// Does so for a head whose rows lie in several tensors, such as those of new tokens beside frozen
    /// ones, with the bits that one tensor would give.
    ///
    /// Shapes: hidden (…, D), weights (V₁, D), (V₂, D) … in the order of the vocabulary, targets I32 (…).
    ///
    /// @param reduction [Reduction#MEAN] or [Reduction#SUM]
    public static HeadLoss linearCrossEntropy(
            Tensor hidden,
            List<Tensor> weights,
            Tensor targets,
            HeadOptions options,
            Reduction reduction) {
        if (reduction == Reduction.NONE) {
            throw new PanagradException(
                    "linearCrossEntropy: needs a reduction; perToken gives a loss a token");
        }
        double[] each =
                rowWeights(
                        "linearCrossEntropy",
                        targets.toInts(),
                        weights.stream().mapToInt(w -> w.dim(0)).sum(),
                        options.ignoreIndex(),
                        null,
                        reduction);
        return Ops.linearCrossEntropy(
                rows(hidden),
                weights,
                targets.to(hidden.device()).reshape(-1),
                Constants.like(hidden, each),
                options);
    }

    /// Does so for a head with a bias, logits being hidden·weightᵀ + bias.
    ///
    /// The bias is one more column of the weight, whose gradient is filtered like the others': a
    /// copy of weight and bias of V·(D + 1) numbers is made.
    ///
    /// Shapes: hidden (…, D), weight (V, D), bias (V), targets I32 (…).
    ///
    /// @param reduction [Reduction#MEAN] or [Reduction#SUM]
    public static HeadLoss linearCrossEntropy(
            Tensor hidden,
            Tensor weight,
            Tensor bias,
            Tensor targets,
            HeadOptions options,
            Reduction reduction) {
        checkBias("linearCrossEntropy", weight, bias);
        // The copy's type is that of hidden, from which the filter's threshold must not come alone.
        var filter = options.filter().resolve(hidden.dtype(), weight.dtype());
        return linearCrossEntropy(
                withOne(rows(hidden)),
                withColumn(weight, bias, hidden),
                targets,
                options.filter(filter),
                reduction);
    }

    /// Computes the sum of a linear head's token losses, each multiplied by a weight of its own.
    ///
    /// Shapes: hidden (…, D), weight (V, D), targets I32 (…), tokenWeights (…).
    public static HeadLoss linearCrossEntropy(
            Tensor hidden,
            Tensor weight,
            Tensor targets,
            Tensor tokenWeights,
            HeadOptions options) {
        checkTargets("linearCrossEntropy", targets.toInts(), weight.dim(0), options.ignoreIndex());
        Device device = hidden.device();
        return Ops.linearCrossEntropy(
                rows(hidden),
                weight,
                targets.to(device).reshape(-1),
                tokenWeights.to(device).reshape(-1),
                options);
    }

    /// Computes each token's negative log-likelihood under a linear head, with its log-sum-exp and,
    /// on request, entropy and arg-max.
    ///
    /// Shapes: hidden (…, D), weight (V, D), targets I32 (…) → vectors of one entry a token.
    public static TokenLosses perToken(
            Tensor hidden,
            Tensor weight,
            Tensor targets,
            HeadOptions options,
            boolean entropy,
            boolean argMax) {
        checkTargets("perToken", targets.toInts(), weight.dim(0), options.ignoreIndex());
        return Ops.perTokenHead(
                rows(hidden),
                weight,
                targets.to(hidden.device()).reshape(-1),
                options,
                entropy,
                argMax);
    }

    /// Does so for a head with a bias, of which, with the weight, a copy is made.
    ///
    /// Shapes: hidden (…, D), weight (V, D), bias (V), targets I32 (…) → vectors of one entry a token.
    public static TokenLosses perToken(
            Tensor hidden,
            Tensor weight,
            Tensor bias,
            Tensor targets,
            HeadOptions options,
            boolean entropy,
            boolean argMax) {
        checkBias("perToken", weight, bias);
        return perToken(
                withOne(rows(hidden)),
                withColumn(weight, bias, hidden),
                targets,
                options,
                entropy,
                argMax);
    }

    private static void checkBias(String op, Tensor weight, Tensor bias) {
        if (bias.rank() != 1 || bias.dim(0) != weight.dim(0)) {
            throw new ShapeException(
                    op,
                    "bias does not fit the weight",
                    bias.spec() + " and " + weight.spec(),
                    "bias [" + weight.dim(0) + "]",
                    "");
        }
    }

    private static Tensor withOne(Tensor rows) {
        Shape column = Shape.of(rows.dim(0), 1);
        return Ops.concat(1, rows, Ops.ones(rows.dtype(), column).to(rows.device()));
    }

    private static Tensor withColumn(Tensor weight, Tensor bias, Tensor like) {
        Tensor column = bias.to(like.dtype()).to(like.device()).reshape(-1, 1);
        return Ops.concat(1, weight.to(like.dtype()), column);
    }

    /// Returns targets for heads of which each token predicts the one `by` places on: token t has the
    /// target of token t + by, the last ones are ignored. Hidden states need not be cut for it.
    ///
    /// Shapes: I32 (…, T) → I32 (…, T).
    public static Tensor shifted(Tensor targets, int by, int ignoreIndex) {
        int length = targets.dim(-1);
        if (by < 0) {
            throw new PanagradException("shifted", "negative shift", "" + by, "0 or more", "");
        }
        int[] from = targets.toInts();
        int[] to = new int[from.length];
        for (int i = 0; i < to.length; i++) {
            to[i] = i % length + by < length ? from[i + by] : ignoreIndex;
        }
        return Ops.indices(to, targets.shape().toArray()).to(targets.device());
    }

    private static Tensor rows(Tensor hidden) {
        return hidden.reshape(-1, hidden.dim(-1));
    }

    private static void checkTargets(String op, int[] targets, int classes, int ignore) {
        for (int i = 0; i < targets.length; i++) {
            if (targets[i] != ignore && (targets[i] < 0 || targets[i] >= classes)) {
                throw new PanagradException(
                        op,
                        "target out of range",
                        targets[i] + " at position " + i,
                        "0 to " + (classes - 1) + ", or " + ignore + " for an ignored one",
                        "does the tokenizer belong to the model?");
            }
        }
    }

    /// Returns what each row's loss is multiplied by.
    static double[] rowWeights(
            String op,
            int[] targets,
            int classes,
            int ignore,
            @Nullable Tensor classWeights,
            Reduction reduction) {
        checkTargets(op, targets, classes, ignore);
        double[] perClass = classWeights == null ? null : classWeights.toDoubles();
        if (perClass != null && perClass.length != classes) {
            throw new ShapeException(
                    op,
                    "wrong number of class weights",
                    Integer.toString(perClass.length),
                    Integer.toString(classes),
                    "");
        }
        double[] raw = new double[targets.length];
        double total = 0;
        for (int i = 0; i < raw.length; i++) {
            raw[i] = targets[i] == ignore ? 0 : perClass == null ? 1 : perClass[targets[i]];
            total += raw[i];
        }
        double over = reduction == Reduction.MEAN && total != 0 ? total : 1;
        for (int i = 0; i < raw.length; i++) {
            raw[i] /= over;
        }
        return raw;
    }
}
