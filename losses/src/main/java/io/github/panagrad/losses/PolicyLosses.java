package io.github.panagrad.losses;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.ShapeException;

/// What reinforcement learning from rewards minimises: the clipped surrogate of the policy's
/// gradient, and a penalty for leaving a reference.
///
/// Log-probabilities are of tokens or of whole answers. All shapes: (*) → (*).
///
/// ```java
/// Tensor loss =
///         PolicyLosses.clippedSurrogate(now, sampled, advantages, 0.2, 0.2)
///                 .add(PolicyLosses.divergence(now, reference).mul(0.04))
///                 .mean();
/// ```
public final class PolicyLosses {
    private PolicyLosses() {}

    /// Computes −min(ρ·A, clip(ρ, 1 − low, 1 + high)·A), where ρ is how much likelier the policy now
    /// finds what was sampled than when it was.
    ///
    /// Source: Schulman et al. 2017, arXiv 1707.06347, eq. 7; two bounds: Yu et al. 2025, DAPO, arXiv
    /// 2503.14476, eq. 10.
    ///
    /// @param sampled log-probabilities at the time of sampling, constants
    /// @param advantages how much better than expected each sample was, constants
    /// @param low from 0 to 1; 0.2 in the paper
    /// @param high at least 0; 0.2 in the paper
    public static Tensor clippedSurrogate(
            Tensor policy, Tensor sampled, Tensor advantages, double low, double high) {
        if (low < 0 || low > 1 || high < 0) {
            throw new PanagradException(
                    "clippedSurrogate",
                    "bounds are out of range",
                    low + " and " + high,
                    "low from 0 to 1, high at least 0",
                    "");
        }
        sameShapes("clippedSurrogate", policy, sampled);
        sameShapes("clippedSurrogate", policy, advantages);
        Tensor ratio = policy.sub(sampled.detach()).exp();
        Tensor gain = advantages.detach();
        return ratio.mul(gain).minimum(ratio.clamp(1 - low, 1 + high).mul(gain)).neg();
    }

    /// Estimates the divergence KL(policy ‖ reference) from samples of the policy: e^d − d − 1 with
    /// d = log reference − log policy. Unbiased, and never negative.
    ///
    /// Source: Shao et al. 2024, DeepSeekMath, arXiv 2402.03300, eq. 4.
    ///
    /// @param reference log-probabilities under the reference, constants
    public static Tensor divergence(Tensor policy, Tensor reference) {
        sameShapes("divergence", policy, reference);
        Tensor d = reference.detach().sub(policy);
        return d.exp().sub(d).sub(1);
    }

    private static void sameShapes(String op, Tensor a, Tensor b) {
        if (!a.shape().equals(b.shape())) {
            throw new ShapeException(
                    op, "operands do not fit", a.spec() + " and " + b.spec(), "one shape", "");
        }
    }
}
