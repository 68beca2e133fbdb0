package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.CrossEntropyOptions;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.models.FeatureClassifier;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives.Labelled;
import java.util.Map;

/// Objectives from a function of each target's negative log-likelihood: [PointLoss].
///
/// They report the plain cross-entropy beside the loss.
///
/// ```java
/// Objective<Batch> robust = Pointwise.nextToken(model, PointLoss.generalized(0.7));
/// ```
public final class Pointwise {
    private Pointwise() {}

    /// Predicts each next token; no logits of a vocabulary are built.
    public static Objective<Batch> nextToken(CausalLM model, PointLoss loss) {
        return nextToken(model, loss, HeadOptions.DEFAULT);
    }

    /// Predicts each next token, with smoothing and what else the options say; ℓ is smoothed then.
    ///
    /// @param options their ignored index must be [io.github.panagrad.nn.data.Example#IGNORED]
    public static Objective<Batch> nextToken(CausalLM model, PointLoss loss, HeadOptions options) {
        return (batch, step) -> {
            var predicted = PredictedTokens.of(model, batch, step.context(), options);
            return term(predicted.nll(), loss.of(predicted.nll()), batch.predicted());
        };
    }

    /// Predicts labels.
    public static Objective<Labelled> classification(FeatureClassifier model, PointLoss loss) {
        return classification(model, loss, CrossEntropyOptions.DEFAULT);
    }

    /// Predicts labels, with class weights, smoothing and what else the options say; ℓ is smoothed
    /// then.
    ///
    /// Class weights multiply the losses of labels, whose sum is divided by the number of labels.
    public static Objective<Labelled> classification(
            FeatureClassifier model, PointLoss loss, CrossEntropyOptions options) {
        var plain = options.reduction(Reduction.NONE).classWeights(null);
        return (batch, step) -> {
            Tensor logits = model.logits(batch.input(), step.context());
            Tensor nll = Losses.crossEntropy(logits, batch.labels(), plain);
            long count = 0;
            for (int label : batch.labels().toInts()) {
                count += label == options.ignoreIndex() ? 0 : 1;
            }
            return term(nll, weighted(loss.of(nll), batch.labels(), options), count);
        };
    }

    private static Tensor weighted(Tensor losses, Tensor labels, CrossEntropyOptions options) {
        Tensor perClass = options.classWeights();
        if (perClass == null) {
            return losses;
        }
        double[] known = perClass.toDoubles();
        int[] flat = labels.toInts();
        double[] weights = new double[flat.length];
        for (int i = 0; i < flat.length; i++) {
            weights[i] = flat[i] == options.ignoreIndex() ? 0 : known[flat[i]];
        }
        return losses.mul(Answers.constant(losses, weights).reshape(labels.shape().toArray()));
    }

    private static LossTerm term(Tensor nll, Tensor losses, long count) {
        double plain = count == 0 ? 0 : nll.detach().sum().item() / count;
        return new LossTerm(losses.sum(), count, count, Map.of("ce", plain));
    }
}
