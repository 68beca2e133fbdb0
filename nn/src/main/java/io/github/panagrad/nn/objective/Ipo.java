package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.PreferenceLosses;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Step;

/// Identity preference optimisation of pairs: (Δ chosen − Δ rejected − 1/(2τ))², Δ being how much
/// likelier the policy finds an answer than the reference does.
///
/// Reports margin, accuracy and means of Δ, which are to differ by 1/(2τ). Source: Azar et al. 2023,
/// arXiv 2310.12036, eq. 17.
///
/// @param policy what trains
/// @param reference what it is compared with
/// @param tau above 0; smaller ones want a wider margin
/// @param tokenMeans whether Δ is a mean over the answer's tokens, so that the margin means the same
///     at every length, instead of the paper's sum
public record Ipo(CausalLM policy, Reference reference, double tau, boolean tokenMeans)
        implements Taught<Batch> {
    /// Creates the objective with τ 0.1, over sums.
    public static Ipo of(CausalLM policy, Reference reference) {
        return new Ipo(policy, reference, 0.1, false);
    }

    /// Returns the same with another τ.
    public Ipo tau(double value) {
        return new Ipo(policy, reference, value, tokenMeans);
    }

    /// Returns the same over means of tokens, or over sums.
    public Ipo tokenMeans(boolean value) {
        return new Ipo(policy, reference, tau, value);
    }

    @Override
    public Teacher<CausalLM> teacher() {
        return reference.teacher();
    }

    @Override
    public LossTerm loss(Batch batch, Step step) {
        Pairs pairs = Pairs.of(batch);
        Answers answers = Answers.of(batch);
        double[] theirs = reference.logProbs(batch, step);
        int[] counts = answers.counts();
        for (int i = 0; tokenMeans && i < theirs.length; i++) {
            theirs[i] /= counts[i];
        }
        Reduction reduction = tokenMeans ? Reduction.MEAN : Reduction.SUM;
        Tensor mine = answers.sequences(policy, step.context(), reduction);
        Tensor constant = Answers.constant(mine, theirs);
        Tensor losses =
                PreferenceLosses.ipo(
                        pairs.chosen(mine),
                        pairs.rejected(mine),
                        pairs.chosen(constant),
                        pairs.rejected(constant),
                        tau);
        return pairs.term(losses, mine.detach().sub(constant).toDoubles());
    }
}
