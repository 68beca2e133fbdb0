package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.PreferenceLosses;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Step;

/// Odds-ratio preference optimisation of pairs, fine-tuning and preference in one, without a
/// reference: the mean negative log-likelihood of the chosen answer's tokens, plus λ times
/// −log σ(log odds(chosen) − log odds(rejected)).
///
/// Reports margin, accuracy and means of the rewards, λ times an answer's mean log-probability.
/// Source: Hong et al. 2024, arXiv 2403.07691, eq. 6 and 7.
///
/// @param policy what trains
/// @param lambda at least 0
public record Orpo(CausalLM policy, double lambda) implements Objective<Batch> {
    /// Creates the objective with λ 0.1.
    public static Orpo of(CausalLM policy) {
        return new Orpo(policy, 0.1);
    }

    /// Returns the same with another λ.
    public Orpo lambda(double value) {
        return new Orpo(policy, value);
    }

    @Override
    public LossTerm loss(Batch batch, Step step) {
        Pairs pairs = Pairs.of(batch);
        Tensor mine = Answers.of(batch).sequences(policy, step.context(), Reduction.MEAN);
        Tensor chosen = pairs.chosen(mine);
        Tensor odds = PreferenceLosses.oddsRatio(chosen, pairs.rejected(mine));
        Tensor losses = odds.mul(lambda).sub(chosen);
        return pairs.term(losses, mine.detach().mul(lambda).toDoubles());
    }
}
