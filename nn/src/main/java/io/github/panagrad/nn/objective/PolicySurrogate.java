package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.PolicyLosses;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Step;
import java.util.Map;

/// The clipped surrogate of the policy's gradient over the tokens of sampled answers, with a penalty
/// for leaving a reference: −min(ρ·A, clip(ρ, 1 − low, 1 + high)·A) + β·KL.
///
/// With advantages relative to a group of answers, as [Rollouts] gives them, it is GRPO. Reports the
/// mean divergence as `kl`, the share of tokens outside of the bounds, and the mean ratio ρ. Sources:
/// Shao et al. 2024, arXiv 2402.03300, eq. 3; token means and two bounds: Yu et al. 2025, arXiv
/// 2503.14476.
///
/// @param policy what trains
/// @param teacher the reference; not asked if the weight is 0
/// @param low from 0 to 1
/// @param high at least 0
/// @param klWeight β, at least 0
/// @param tokenMeans whether all tokens weigh the same, instead of all answers
public record PolicySurrogate(
        CausalLM policy,
        Teacher<CausalLM> teacher,
        double low,
        double high,
        double klWeight,
        boolean tokenMeans)
        implements Taught<RolloutBatch> {
    /// Creates the objective with bounds 0.2, β 0.04 and equal weights of answers.
    public static PolicySurrogate of(CausalLM policy, Teacher<CausalLM> reference) {
        return new PolicySurrogate(policy, reference, 0.2, 0.2, 0.04, false);
    }

    /// Returns the same with other bounds.
    public PolicySurrogate bounds(double below, double above) {
        return new PolicySurrogate(policy, teacher, below, above, klWeight, tokenMeans);
    }

    /// Returns the same with another weight of the divergence.
    public PolicySurrogate klWeight(double value) {
        return new PolicySurrogate(policy, teacher, low, high, value, tokenMeans);
    }

    /// Returns the same with equal weights of tokens, or of answers.
    public PolicySurrogate tokenMeans(boolean value) {
        return new PolicySurrogate(policy, teacher, low, high, klWeight, value);
    }

    @Override
    public LossTerm loss(RolloutBatch rollouts, Step step) {
        Batch batch = rollouts.batch();
        Answers answers = Answers.of(batch);
        double[] reference = klWeight > 0 ? reference(answers, step) : new double[0];
        Tensor now = answers.tokens(policy, step.context());
        Tensor sampled = Answers.constant(now, rollouts.sampled());
        int[] owners = answers.owners();
        int[] counts = answers.counts();
        double[] gains = new double[owners.length];
        double[] weights = new double[owners.length];
        for (int i = 0; i < owners.length; i++) {
            gains[i] = rollouts.advantages()[owners[i]];
            weights[i] = tokenMeans ? 1 : 1.0 / counts[owners[i]];
        }
        Tensor losses =
                PolicyLosses.clippedSurrogate(
                        now, sampled, Answers.constant(now, gains), low, high);
        double kl = 0;
        if (klWeight > 0) {
            Tensor divergence = PolicyLosses.divergence(now, Answers.constant(now, reference));
            kl = divergence.detach().mean().item();
            losses = losses.add(divergence.mul(klWeight));
        }
        double count = tokenMeans ? owners.length : batch.sequences().size();
        double[] ratios = now.detach().sub(sampled).exp().toDoubles();
        double outside = 0;
        double mean = 0;
        for (double ratio : ratios) {
            outside += ratio < 1 - low || ratio > 1 + high ? 1.0 / ratios.length : 0;
            mean += ratio / ratios.length;
        }
        return new LossTerm(
                losses.mul(Answers.constant(now, weights)).sum(),
                count,
                batch.predicted(),
                Map.of("kl", kl, "clipped", outside, "ratio", mean));
    }

    private double[] reference(Answers answers, Step step) {
        return Ops.scope(
                () -> teacher.ask(step, model -> answers.tokens(model, Context.EMPTY).toDoubles()));
    }
}
