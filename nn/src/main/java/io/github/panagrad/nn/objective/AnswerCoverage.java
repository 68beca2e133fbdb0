package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.losses.SequenceLosses;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.metrics.SampledAnswers;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Step;
import java.util.Arrays;
import java.util.Map;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// Direct coverage of answers behind chains of thought: cross-entropy of each example's text, times
/// the factor N·p̂·(1 − p̂)^(N−1)/(1 − (1 − p̂)^N) of its answer.
///
/// The probability of an answer is then that of all the chains that lead to it, not of one text; it is
/// estimated as the share p̂ of right ones among sampled answers, now and then, such as after each
/// epoch. Until then an example counts in full. The estimates are saved with a run. Source: DCO^a in
/// arXiv 2502.07154; that the factor weighs the cross-entropy of the shown chain is our reading.
///
/// ```java
/// var objective = new AnswerCoverage(model, 64, data.size());
/// objective.sampling(epoch -> SampledAnswers.draw(model, tokenizer, problems, 8, sampling.seed(epoch)));
/// ```
public final class AnswerCoverage implements Objective<Batch> {
    private static final String PROBABILITIES = "answer probabilities";
    private static final String EPOCH = "answers sampled in epoch";

    private final CausalLM model;
    private final double n;
    private final double[] probabilities;
    private @Nullable IntFunction<SampledAnswers> sampler;
    private int sampled;

    /// Creates an objective that knows of no probability yet.
    ///
    /// @param n how many samples will be drawn, at least 1
    /// @param examples how many examples the data has
    public AnswerCoverage(CausalLM model, double n, int examples) {
        if (!(n >= 1)) {
            throw new PanagradException(
                    "answerCoverage", "n is out of range", "" + n, "at least 1", "");
        }
        this.model = model;
        this.n = n;
        probabilities = new double[examples];
    }

    /// Samples answers by itself whenever an epoch has passed, out of training mode.
    ///
    /// @param draws makes samples for an epoch, from 1, problem i being that of example i
    public AnswerCoverage sampling(IntFunction<SampledAnswers> draws) {
        sampler = draws;
        return this;
    }

    private void sample(int epoch) {
        IntFunction<SampledAnswers> draws = sampler;
        if (draws == null || epoch <= sampled) {
            return;
        }
        boolean wasTraining = model.isTraining();
        model.training(false);
        try {
            know(draws.apply(epoch));
        } finally {
            model.training(wasTraining);
        }
        sampled = epoch;
    }

    /// Takes note of how likely the answer of an example is.
    ///
    /// @param example its number in the data
    public void know(int example, double probability) {
        if (example < 0
                || example >= probabilities.length
                || !(probability >= 0 && probability <= 1)) {
            throw new PanagradException(
                    "answerCoverage",
                    "no such example or probability",
                    "example " + example + ", probability " + probability,
                    "below " + probabilities.length + ", 0 to 1",
                    "");
        }
        probabilities[example] = probability;
    }

    /// Takes note of sampled answers, problem i being that of example i.
    public void know(SampledAnswers answers) {
        for (int i = 0; i < answers.right().length; i++) {
            know(i, answers.probability(i));
        }
    }

    @Override
    public LossTerm loss(Batch batch, Step step) {
        sample(step.epoch());
        var predicted = PredictedTokens.of(model, batch, step.context());
        if (predicted.isEmpty()) {
            return LossTerm.of(predicted.nll().sum(), 0);
        }
        Tensor logProb = predicted.logProb(Reduction.SUM);
        double[] known =
                predicted.sequences().stream()
                        .mapToDouble(s -> Math.log(probabilities[s.example()]))
                        .toArray();
        double[] weights =
                SequenceLosses.coverageWeight(Ops.tensor64(known, known.length), n).toDoubles();
        double mean = Arrays.stream(weights).average().orElse(0);
        return new LossTerm(
                logProb.mul(Answers.constant(logProb, weights)).sum().neg(),
                weights.length,
                batch.predicted(),
                Map.of("coverage_weight", mean));
    }

    @Override
    public Map<String, Tensor> state() {
        return Map.of(
                PROBABILITIES,
                Ops.tensor64(probabilities.clone(), probabilities.length),
                EPOCH,
                Ops.tensor64(new double[] {sampled}, 1));
    }

    @Override
    public void load(Map<String, Tensor> state) {
        Tensor found = state.get(PROBABILITIES);
        if (found == null || found.size() != probabilities.length) {
            throw new PanagradException(
                    "answerCoverage",
                    "state of other data",
                    found == null ? "none" : found.spec().toString(),
                    probabilities.length + " probabilities",
                    "resume with the data that the run began with");
        }
        System.arraycopy(found.toDoubles(), 0, probabilities, 0, probabilities.length);
        Tensor epoch = state.get(EPOCH);
        sampled = epoch == null ? 0 : (int) epoch.item();
    }
}
