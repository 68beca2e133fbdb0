package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.losses.SequenceLosses;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Step;
import java.util.Map;

/// Learns to find answers likelier than aligned models do: −log σ(r − r̄) an example, r being the
/// mean log-probability of its predicted tokens, r̄ the same under the references.
///
/// References are scored once, beforehand; none is held in memory. Reports the mean factor on the
/// gradient, τ = σ(r̄ − r), and the share of examples with r > r̄. Source: PoFT, arXiv 2412.12865.
///
/// ```java
/// var objective = new Poft(model, ReferenceScores.means(keys, first, second));
/// ```
///
/// @param model what trains
/// @param references r̄ of each example of the data set, in nats a token, in the order of the data;
///     see [ReferenceScores#means]. Not to be modified
@SuppressWarnings("ArrayRecordComponent")
public record Poft(CausalLM model, double[] references) implements Objective<Batch> {
    @Override
    public LossTerm loss(Batch batch, Step step) {
        var predicted = PredictedTokens.of(model, batch, step.context());
        if (predicted.isEmpty()) {
            return LossTerm.of(predicted.nll().sum(), 0);
        }
        Tensor mean = predicted.logProb(Reduction.MEAN);
        int count = predicted.sequences().size();
        double[] theirs = new double[count];
        for (int i = 0; i < count; i++) {
            theirs[i] = reference(predicted.sequences().get(i).example());
        }
        Tensor reference = Answers.constant(mean, theirs);
        double[] weights = SequenceLosses.preferenceWeight(mean, reference).toDoubles();
        double weight = 0;
        double ahead = 0;
        for (double w : weights) {
            weight += w / count;
            ahead += w < 0.5 ? 1.0 / count : 0;
        }
        return new LossTerm(
                SequenceLosses.poft(mean, reference).sum(),
                count,
                batch.predicted(),
                Map.of("preference_weight", weight, "ahead", ahead));
    }

    private double reference(int example) {
        if (example >= references.length) {
            throw new PanagradException(
                    "poft",
                    "no reference score of example " + example,
                    references.length + " scores",
                    "one an example",
                    "score the data that is trained on");
        }
        return references[example];
    }
}
