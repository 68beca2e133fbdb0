package io.github.panagrad.losses;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.DType;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.ShapeException;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.HashMap;
import java.util.Map;

/// Losses that are functions of the negative log-likelihood ℓ of the target: focal, poly-1, generalised
/// and symmetric cross-entropy, and weights by perplexity.
///
/// They take what [Losses#perToken] gives, so the logits of a vocabulary are never built for them,
/// or an unreduced [Losses#crossEntropy]. All but the weights are elementwise, keep ℓ = 0 at 0, as
/// ignored targets have it, and are not reduced: divide their sum by the number of targets that count.
///
/// ```java
/// Tensor nll = Losses.perToken(hidden, head, targets, HeadOptions.DEFAULT, false, false).nll();
/// Tensor loss = NllLosses.focal(nll, 2).sum().div(count);
/// ```
public final class NllLosses {
    /// What 1 − p is held above where a power of it has no slope at 0.
    private static final double SMALLEST_MISS = 1e-7;

    private NllLosses() {}

    /// Computes the focal loss (1 − p)^γ·ℓ, which counts what is already likely for less; γ = 0 is ℓ.
    ///
    /// Shapes: (*) → (*). Source: Lin et al. 2017, Focal Loss for Dense Object Detection, eq. 4.
    ///
    /// @param gamma at least 0; 2 in the paper
    public static Tensor focal(Tensor nll, double gamma) {
        require(gamma >= 0, "focal", "gamma", gamma, "at least 0");
        return gamma == 0 ? nll : miss(nll).clamp(SMALLEST_MISS, 1).pow(gamma).mul(nll);
    }

    /// Computes poly-1 cross-entropy, ℓ + ε·(1 − p).
    ///
    /// Shapes: (*) → (*). Source: Leng et al. 2022, PolyLoss, section 4.
    ///
    /// @param epsilon 1 is common; 0 is ℓ
    public static Tensor poly1(Tensor nll, double epsilon) {
        return nll.add(miss(nll).mul(epsilon));
    }

    /// Computes generalised cross-entropy, (1 − p^q)/q, which a wrong label pulls at with p^q of
    /// what it would have in ℓ.
    ///
    /// Shapes: (*) → (*). Source: Zhang and Sabuncu 2018, Generalized Cross Entropy Loss, eq. 6.
    ///
    /// @param q from 0, which is ℓ, to 1, which is 1 − p; 0.7 in the paper
    public static Tensor generalizedCrossEntropy(Tensor nll, double q) {
        return generalizedCrossEntropy(nll, q, 0);
    }

    /// Computes generalised cross-entropy that is constant, so without gradient, where p ≤ k.
    ///
    /// Shapes: (*) → (*). Source: Zhang and Sabuncu 2018, section 3.3, without its pruning.
    ///
    /// @param k from 0, which truncates nothing, to below 1
    public static Tensor generalizedCrossEntropy(Tensor nll, double q, double k) {
        require(q >= 0 && q <= 1, "generalizedCrossEntropy", "q", q, "0 to 1");
        require(k >= 0 && k < 1, "generalizedCrossEntropy", "k", k, "0 to below 1");
        Tensor loss = q == 0 ? nll : miss(nll.mul(q)).mul(1 / q);
        if (k == 0) {
            return loss;
        }
        return loss.clamp(0, q == 0 ? -Math.log(k) : (1 - Math.pow(k, q)) / q);
    }

    /// Computes symmetric cross-entropy, a·ℓ + b·RCE, with the reverse cross-entropy RCE = −A·(1 − p).
    ///
    /// Shapes: (*) → (*). Source: Wang et al. 2019, Symmetric Cross Entropy, eq. 6 to 8.
    ///
    /// @param logZero A, what stands for the logarithm of 0: negative; −4 in the paper
    public static Tensor symmetricCrossEntropy(Tensor nll, double a, double b, double logZero) {
        require(logZero < 0, "symmetricCrossEntropy", "logZero", logZero, "below 0");
        return nll.mul(a).add(miss(nll).mul(-logZero * b));
    }

    /// Returns weights that grow with the perplexity of a token: 1 + α·exp(ℓ)/(mean + ε), divided by
    /// their mean. No gradient flows through them.
    ///
    /// The means are those of a token's scope: its sequence, so that weights depend on no other, or
    /// the batch, if all scopes are equal. Perplexity-weighted cross-entropy is Σ (1 + λ·w)·ℓ over the
    /// count.
    ///
    /// Shapes: nll (T), scope of length T → (T). Source: LAMO, arXiv 2604.13488, with α, ε and scope
    /// of our choice.
    ///
    /// @param scope a number a token; a negative one for an ignored target, which gets weight 0
    /// @param maxNll what ℓ is cut to in the weights, so that one token does not take them all; 8 is
    ///     ample
    public static Tensor perplexityWeights(
            Tensor nll, int[] scope, double alpha, double epsilon, double maxNll) {
        require(alpha >= 0, "perplexityWeights", "alpha", alpha, "at least 0");
        double[] values = nll.toDoubles();
        if (values.length != scope.length) {
            throw new ShapeException(
                    "perplexityWeights",
                    "as many scopes as tokens are needed",
                    scope.length + " for " + nll.spec(),
                    values.length + "",
                    "");
        }
        for (int i = 0; i < scope.length; i++) {
            values[i] = Math.exp(Math.min(values[i], maxNll));
        }
        double[] means = scopeMeans(values, scope);
        for (int i = 0; i < scope.length; i++) {
            values[i] = 1 + alpha * values[i] / (means[i] + epsilon);
        }
        means = scopeMeans(values, scope);
        for (int i = 0; i < scope.length; i++) {
            values[i] = scope[i] < 0 ? 0 : values[i] / means[i];
        }
        int[] dims = nll.shape().toArray();
        Tensor weights =
                nll.dtype() == DType.F64
                        ? Ops.tensor64(values, dims)
                        : Ops.tensor(values).reshape(dims);
        return weights.to(nll.device());
    }

    /// Returns for each token the mean over all tokens of its scope.
    private static double[] scopeMeans(double[] values, int[] scope) {
        Map<Integer, DoubleSummaryStatistics> byScope = new HashMap<>();
        var each = new DoubleSummaryStatistics[scope.length];
        for (int i = 0; i < scope.length; i++) {
            each[i] = byScope.computeIfAbsent(scope[i], s -> new DoubleSummaryStatistics());
            each[i].accept(values[i]);
        }
        return Arrays.stream(each).mapToDouble(DoubleSummaryStatistics::getAverage).toArray();
    }

    /// Returns 1 − p = 1 − e^−ℓ, without cancellation near ℓ = 0: with t = tanh(ℓ/2) it is 2t/(1 + t).
    static Tensor miss(Tensor nll) {
        Tensor t = nll.mul(0.5).tanh();
        return t.mul(2).div(t.add(1));
    }

    private static void require(
            boolean holds, String op, String name, double got, String expected) {
        if (!holds) {
            throw new PanagradException(op, name + " is out of range", "" + got, expected, "");
        }
    }
}
