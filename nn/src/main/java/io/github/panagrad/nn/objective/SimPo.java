package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.PreferenceLosses;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Step;

/// Simple preference optimisation of pairs, without a reference: −log σ(β·(chosen − rejected) − γ),
/// over the mean log-probabilities of an answer's tokens.
///
/// Reports margin, accuracy and means of the rewards, β times that mean. Source: Meng et al. 2024,
/// arXiv 2405.14734, eq. 6.
///
/// @param policy what trains
/// @param beta above 0
/// @param gamma the margin wanted, at least 0
public record SimPo(CausalLM policy, double beta, double gamma) implements Objective<Batch> {
    /// Creates the objective with β 2 and γ 1, in the range that the paper searches.
    public static SimPo of(CausalLM policy) {
        return new SimPo(policy, 2, 1);
    }

    /// Returns the same with another β.
    public SimPo beta(double value) {
        return new SimPo(policy, value, gamma);
    }

    /// Returns the same with another margin.
    public SimPo gamma(double value) {
        return new SimPo(policy, beta, value);
    }

    @Override
    public LossTerm loss(Batch batch, Step step) {
        Pairs pairs = Pairs.of(batch);
        Tensor mine = Answers.of(batch).sequences(policy, step.context(), Reduction.MEAN);
        Tensor losses =
                PreferenceLosses.simPo(pairs.chosen(mine), pairs.rejected(mine), beta, gamma);
        return pairs.term(losses, mine.detach().mul(beta).toDoubles());
    }
}
