package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.PreferenceLosses;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Step;

/// Direct preference optimisation of pairs: −log σ(β·(Δ chosen − Δ rejected)), Δ being how much
/// likelier the policy finds an answer than the reference does.
///
/// Reports margin, accuracy and means of the implicit rewards β·Δ. Source: Rafailov et al. 2023,
/// arXiv 2305.18290, eq. 7.
///
/// ```java
/// var objective = Dpo.of(model, Reference.of(Teacher.frozenCopy(model))).beta(0.1);
/// ```
///
/// @param policy what trains
/// @param reference what it is compared with
/// @param beta above 0
/// @param smoothing the share of pairs that are the wrong way round, below 0.5
public record Dpo(CausalLM policy, Reference reference, double beta, double smoothing)
        implements Taught<Batch> {
    /// Creates the objective with β 0.1 and no smoothing.
    public static Dpo of(CausalLM policy, Reference reference) {
        return new Dpo(policy, reference, 0.1, 0);
    }

    /// Returns the same with another β.
    public Dpo beta(double value) {
        return new Dpo(policy, reference, value, smoothing);
    }

    /// Returns the same with another share of wrong pairs (Mitchell 2023, A note on DPO with noisy
    /// preferences).
    public Dpo smoothing(double value) {
        return new Dpo(policy, reference, beta, value);
    }

    @Override
    public Teacher<CausalLM> teacher() {
        return reference.teacher();
    }

    @Override
    public LossTerm loss(Batch batch, Step step) {
        Pairs pairs = Pairs.of(batch);
        double[] theirs = reference.logProbs(batch, step);
        Tensor mine = Answers.of(batch).sequences(policy, step.context(), Reduction.SUM);
        Tensor constant = Answers.constant(mine, theirs);
        Tensor losses =
                PreferenceLosses.dpo(
                        pairs.chosen(mine),
                        pairs.rejected(mine),
                        pairs.chosen(constant),
                        pairs.rejected(constant),
                        beta,
                        smoothing);
        return pairs.term(losses, mine.detach().sub(constant).mul(beta).toDoubles());
    }
}
