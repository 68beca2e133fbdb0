package io.github.panagrad.losses;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.ShapeException;

/// Losses that learn from which answer is preferred: DPO, IPO, SimPO, the odds ratio of ORPO, and KTO.
///
/// They take log-probabilities of answers, as [SequenceLogProbability] gives them: sums where
/// nothing else is said. Those of the reference model are constants. Results have one entry a pair,
/// or an answer; take their mean. All shapes: (B) → (B).
///
/// ```java
/// Tensor loss = PreferenceLosses.dpo(chosen, rejected, refChosen, refRejected, 0.1, 0).mean();
/// ```
public final class PreferenceLosses {
    private PreferenceLosses() {}

    /// Computes direct preference optimisation, −log σ(β·Δ), where Δ is how much more the policy
    /// prefers the chosen answer than the reference does.
    ///
    /// Source: Rafailov et al. 2023, arXiv 2305.18290, eq. 7; smoothing: Mitchell 2023, A note on DPO
    /// with noisy preferences.
    ///
    /// @param beta above 0; 0.1 is common
    /// @param smoothing the share of pairs that are the wrong way round, below 0.5; 0 for none
    public static Tensor dpo(
            Tensor chosen,
            Tensor rejected,
            Tensor refChosen,
            Tensor refRejected,
            double beta,
            double smoothing) {
        require("dpo", beta > 0, "beta", beta, "above 0");
        require(
                "dpo",
                smoothing >= 0 && smoothing < 0.5,
                "smoothing",
                smoothing,
                "from 0 to below 0.5");
        Tensor margin = margin("dpo", chosen, rejected, refChosen, refRejected).mul(beta);
        Tensor loss = margin.neg().softplus();
        return smoothing == 0
                ? loss
                : loss.mul(1 - smoothing).add(margin.softplus().mul(smoothing));
    }

    /// Computes identity preference optimisation, (Δ − 1/(2τ))², which stops at a margin instead of
    /// widening it for ever.
    ///
    /// Source: Azar et al. 2023, arXiv 2310.12036, eq. 17. Means over tokens instead of sums keep the
    /// margin comparable between lengths.
    ///
    /// @param tau above 0; 0.1 is common
    public static Tensor ipo(
            Tensor chosen, Tensor rejected, Tensor refChosen, Tensor refRejected, double tau) {
        require("ipo", tau > 0, "tau", tau, "above 0");
        return margin("ipo", chosen, rejected, refChosen, refRejected).sub(1 / (2 * tau)).square();
    }

    /// Computes SimPO, −log σ(β·(chosen − rejected) − γ), without a reference model.
    ///
    /// Source: Meng et al. 2024, arXiv 2405.14734, eq. 6.
    ///
    /// @param chosen mean log-probabilities of tokens, and so is `rejected`
    /// @param beta above 0; 2 to 10 in the paper
    /// @param gamma the margin wanted, at least 0; 0.3 to 1.6 in the paper
    public static Tensor simPo(Tensor chosen, Tensor rejected, double beta, double gamma) {
        require("simPo", beta > 0, "beta", beta, "above 0");
        require("simPo", gamma >= 0, "gamma", gamma, "at least 0");
        sameShapes("simPo", chosen, rejected);
        return chosen.sub(rejected).mul(-beta).add(gamma).softplus();
    }

    /// Computes the odds-ratio term of ORPO, −log σ(log odds(chosen) − log odds(rejected)), to be
    /// added, times λ (0.1 in the paper), to the cross-entropy of the chosen answer.
    ///
    /// Source: Hong et al. 2024, arXiv 2403.07691, eq. 7.
    ///
    /// @param chosen mean log-probabilities of tokens, below 0, and so is `rejected`
    public static Tensor oddsRatio(Tensor chosen, Tensor rejected) {
        sameShapes("oddsRatio", chosen, rejected);
        return logOdds(rejected).sub(logOdds(chosen)).softplus();
    }

    /// log(p/(1 − p)), with p held below 1 by what a float can tell from it.
    private static Tensor logOdds(Tensor logProbability) {
        Tensor below = logProbability.clamp(Double.NEGATIVE_INFINITY, -1e-7);
        return below.sub(below.exp().neg().add(1).log());
    }

    /// Computes KTO for answers that are good or bad on their own, λ·(1 − σ(±β·(r − z))), where r is
    /// how much likelier the policy finds an answer than the reference does.
    ///
    /// Source: Ethayarajh et al. 2024, arXiv 2402.01306, eq. 7.
    ///
    /// @param desirable whether each answer is good
    /// @param drift z, an estimate of the policy's divergence from the reference, such as the mean of
    ///     r over answers paired with other prompts, at least 0; a constant
    /// @param beta above 0; 0.1 is common
    /// @param desirableWeight λ of good answers
    /// @param undesirableWeight λ of bad ones; the paper wants the weighted counts of both within 4/3
    public static Tensor kto(
            Tensor policy,
            Tensor reference,
            boolean[] desirable,
            double drift,
            double beta,
            double desirableWeight,
            double undesirableWeight) {
        require("kto", beta > 0, "beta", beta, "above 0");
        require("kto", drift >= 0, "drift", drift, "at least 0");
        sameShapes("kto", policy, reference);
        if (policy.rank() != 1 || policy.dim(0) != desirable.length) {
            throw new ShapeException(
                    "kto",
                    "answers and marks do not fit",
                    policy.spec() + " and " + desirable.length + " marks",
                    "a vector and a mark for each entry",
                    "");
        }
        double[] signs = new double[desirable.length];
        double[] weights = new double[desirable.length];
        for (int i = 0; i < signs.length; i++) {
            signs[i] = desirable[i] ? beta : -beta;
            weights[i] = desirable[i] ? desirableWeight : undesirableWeight;
        }
        Tensor gain = policy.sub(reference.detach()).sub(drift).mul(Constants.like(policy, signs));
        // 1 − σ(x) is σ(−x)
        return gain.neg().sigmoid().mul(Constants.like(policy, weights));
    }

    private static Tensor margin(
            String op, Tensor chosen, Tensor rejected, Tensor refChosen, Tensor refRejected) {
        sameShapes(op, chosen, rejected);
        sameShapes(op, chosen, refChosen);
        sameShapes(op, chosen, refRejected);
        return chosen.sub(rejected).sub(refChosen.sub(refRejected).detach());
    }

    private static void sameShapes(String op, Tensor a, Tensor b) {
        if (!a.shape().equals(b.shape())) {
            throw new ShapeException(
                    op,
                    "log-probabilities do not fit",
                    a.spec() + " and " + b.spec(),
                    "one shape",
                    "");
        }
    }

    private static void require(
            String op, boolean holds, String name, double value, String expected) {
        if (!holds) {
            throw new PanagradException(op, name + " is out of range", "" + value, expected, "");
        }
    }
}
