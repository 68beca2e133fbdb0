package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.losses.PreferenceLosses;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Preference;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Step;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Kahneman–Tversky optimisation of answers that are good or bad on their own:
/// λ·(1 − σ(±β·(Δ − z))), Δ being how much likelier the policy finds an answer than the reference
/// does, and z the mean of Δ over answers paired with other prompts, not below 0 and a constant.
///
/// As z is taken over a batch, batches should not be small. Reports z as `kl`, accuracy, and means
/// of the implicit rewards β·Δ. Source: Ethayarajh et al. 2024, arXiv 2402.01306, section 4.1.
///
/// @param policy what trains
/// @param reference what it is compared with
/// @param beta above 0
/// @param desirableWeight λ of good answers
/// @param undesirableWeight λ of bad answers
public record Kto(
        CausalLM policy,
        Reference reference,
        double beta,
        double desirableWeight,
        double undesirableWeight)
        implements Taught<Batch> {
    /// Creates the objective with β 0.1 and equal weights.
    public static Kto of(CausalLM policy, Reference reference) {
        return new Kto(policy, reference, 0.1, 1, 1);
    }

    /// Returns the same with another β.
    public Kto beta(double value) {
        return new Kto(policy, reference, value, desirableWeight, undesirableWeight);
    }

    /// Returns the same with other weights of good and bad answers.
    public Kto weights(double desirable, double undesirable) {
        return new Kto(policy, reference, beta, desirable, undesirable);
    }

    @Override
    public Teacher<CausalLM> teacher() {
        return reference.teacher();
    }

    @Override
    public boolean isAccumulationInvariant() {
        return false;
    }

    @Override
    public LossTerm loss(Batch batch, Step step) {
        Batch answers = batch.only(s -> s.tag() != Preference.MISMATCHED);
        double[] theirs = reference.logProbs(answers, step);
        double drift = drift(batch, step);
        List<Batch.Sequence> sequences = answers.sequences();
        boolean[] good = new boolean[sequences.size()];
        for (int i = 0; i < good.length; i++) {
            good[i] = sequences.get(i).tag() == Preference.GOOD;
        }
        Tensor mine = Answers.of(answers).sequences(policy, step.context(), Reduction.SUM);
        Tensor constant = Answers.constant(mine, theirs);
        Tensor losses =
                PreferenceLosses.kto(
                        mine, constant, good, drift, beta, desirableWeight, undesirableWeight);
        double[] rewards = mine.detach().sub(constant).mul(beta).toDoubles();
        return new LossTerm(
                losses.sum(), good.length, answers.predicted(), report(rewards, good, drift));
    }

    private double drift(Batch batch, Step step) {
        if (batch.sequences().stream().noneMatch(s -> s.tag() == Preference.MISMATCHED)) {
            throw new PanagradException(
                    "kto",
                    "the batch has no answers to other prompts",
                    batch.toString(),
                    "one for each answer",
                    "read with PreferenceReader.marked and batch with grouped(2)");
        }
        Batch mismatched = batch.only(s -> s.tag() == Preference.MISMATCHED);
        double[] theirs = reference.logProbs(mismatched, step);
        double[] mine =
                Ops.scope(() ->
                        Ops.noGrad(() ->
                                Answers.of(mismatched)
                                        .sequences(policy, step.context(), Reduction.SUM)
                                        .toDoubles()));
        double sum = Arrays.stream(mine).sum() - Arrays.stream(theirs).sum();
        return Math.max(0, sum / mine.length);
    }

    private Map<String, Double> report(double[] rewards, boolean[] good, double drift) {
        double[] sums = new double[2];
        int[] counts = new int[2];
        int right = 0;
        for (int i = 0; i < good.length; i++) {
            int side = good[i] ? 0 : 1;
            sums[side] += rewards[i];
            counts[side]++;
            right += rewards[i] > beta * drift == good[i] ? 1 : 0;
        }
        var report = new HashMap<String, Double>();
        report.put("kl", drift);
        report.put("accuracy", (double) right / good.length);
        if (counts[0] > 0) {
            report.put("chosen_reward", sums[0] / counts[0]);
        }
        if (counts[1] > 0) {
            report.put("rejected_reward", sums[1] / counts[1]);
        }
        return report;
    }
}
