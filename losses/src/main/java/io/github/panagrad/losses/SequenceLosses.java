package io.github.panagrad.losses;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.ShapeException;

/// Losses of whole answers from their log-probabilities: direct coverage for pass@N, and
/// preference-oriented fine-tuning.
///
/// They take what [SequenceLogProbability] gives and are not reduced: divide their sum by the number
/// of answers.
public final class SequenceLosses {
    /// Below it, 1 − (1 − p)^N is N·p to the last digit, and the loss a straight line.
    private static final double UNLIKELY = -40;

    /// What log p is held below: at p = 1 the slope would be 0·∞.
    private static final double CERTAIN = -1e-7;

    private SequenceLosses() {}

    /// Computes direct coverage, −log(1 − (1 − p)^N): how rarely N samples all miss the answer.
    ///
    /// Its gradient is that of −log p times [#coverageWeight], so an answer that N samples find
    /// anyway is not made likelier still. N = 1 is cross-entropy.
    ///
    /// Shapes: (*) → (*). Source: DCO, arXiv 2502.07154.
    ///
    /// @param logProb summed log-probabilities of answers
    /// @param n how many samples will be drawn, at least 1
    public static Tensor dco(Tensor logProb, double n) {
        requireSamples("dco", n);
        if (n == 1) {
            return logProb.neg();
        }
        Tensor missed = logOneMinusExp(logProb.clamp(UNLIKELY, CERTAIN)).mul(n);
        Tensor line = logProb.neg().add(UNLIKELY).relu();
        return line.sub(logOneMinusExp(missed));
    }

    /// Sums direct coverage over the steps of each answer, for searches that branch at every step.
    ///
    /// Shapes: stepLogProb (S) → (count). Source: DCO, arXiv 2502.07154, the stepwise variant.
    ///
    /// @param stepLogProb summed log-probabilities of steps
    /// @param answers which answer each step belongs to, from 0; negative for a step to leave out
    /// @param count how many answers there are
    /// @param n about how many branches a step has, at least 1
    public static Tensor dcoSteps(Tensor stepLogProb, int[] answers, int count, double n) {
        return SequenceLogProbability.of(dco(stepLogProb, n), answers, count, Reduction.SUM).neg();
    }

    /// Returns what direct coverage multiplies the gradient of −log p by,
    /// N·p·(1 − p)^(N−1)/(1 − (1 − p)^N): 1 for an unlikely answer, about 0 from p ≫ 1/N. A constant.
    ///
    /// Shapes: (S) → (S). Source: DCO, arXiv 2502.07154.
    public static Tensor coverageWeight(Tensor logProb, double n) {
        requireSamples("coverageWeight", n);
        requireVector("coverageWeight", logProb);
        double[] values = logProb.toDoubles();
        for (int i = 0; i < values.length; i++) {
            values[i] = coverageWeight(values[i], n);
        }
        return Constants.like(logProb, values);
    }

    private static double coverageWeight(double logProb, double n) {
        if (n == 1 || logProb < UNLIKELY) {
            return 1;
        }
        double log = Math.min(logProb, CERTAIN);
        double missed = logOneMinusExp(log);
        return Math.exp(Math.log(n) + log + (n - 1) * missed - logOneMinusExp(n * missed));
    }

    /// Computes −log σ(r − r̄), r being the policy's and r̄ the references' mean log-probability of
    /// a token: data that the references find unlikely, or that the policy already beats them on,
    /// counts for less.
    ///
    /// Its gradient is that of −r times [#preferenceWeight].
    ///
    /// Shapes: (S), (S) → (S). Source: PoFT, arXiv 2412.12865, eq. 3 to 8.
    ///
    /// @param mean mean log-probabilities of answers' tokens under the policy
    /// @param reference the same under the references, averaged over these; a constant
    public static Tensor poft(Tensor mean, Tensor reference) {
        return gap("poft", mean, reference).softplus();
    }

    /// Returns what preference-oriented fine-tuning multiplies the gradient by, σ(r̄ − r); a constant.
    ///
    /// Shapes: (S), (S) → (S). Source: PoFT, arXiv 2412.12865.
    public static Tensor preferenceWeight(Tensor mean, Tensor reference) {
        return gap("preferenceWeight", mean.detach(), reference).sigmoid();
    }

    private static Tensor gap(String op, Tensor mean, Tensor reference) {
        if (!mean.shape().equals(reference.shape())) {
            throw new ShapeException(
                    op,
                    "policy and references do not fit",
                    mean.spec() + " and " + reference.spec(),
                    "one shape",
                    "");
        }
        return reference.detach().sub(mean);
    }

    /// log(1 − e^u) for u < 0, as −softplus(u − log(1 − e^u)): the inner logarithm only has to be
    /// right where it is large, the outer function keeps the digits where it is small.
    private static Tensor logOneMinusExp(Tensor u) {
        return u.sub(NllLosses.miss(u.neg()).log()).softplus().neg();
    }

    private static double logOneMinusExp(double u) {
        return u > -Math.log(2) ? Math.log(-Math.expm1(u)) : Math.log1p(-Math.exp(u));
    }

    private static void requireSamples(String op, double n) {
        if (!(n >= 1 && n < Double.POSITIVE_INFINITY)) {
            throw new PanagradException(op, "n is out of range", "" + n, "at least 1", "");
        }
    }

    private static void requireVector(String op, Tensor logProb) {
        if (logProb.rank() != 1) {
            throw new ShapeException(
                    op, "not a vector", logProb.spec().toString(), "(S)", "reshape it");
        }
    }
}
