package io.github.panagrad.nn.train;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.CrossEntropyOptions;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.BertInput;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.models.FeatureClassifier;
import java.util.Map;
import java.util.function.Consumer;

/// The objectives that most training needs.
public final class Objectives {
    private Objectives() {}

    /// Predicts each next token: cross-entropy over the labels that count, in nats.
    public static Objective<Batch> nextToken(CausalLM model) {
        return nextToken(model, HeadOptions.DEFAULT);
    }

    /// Predicts each next token, with smoothing and what else the options say.
    ///
    /// @param options their ignored index must be [Example#IGNORED]
    public static Objective<Batch> nextToken(CausalLM model, HeadOptions options) {
        return (batch, step) -> {
            Tensor hidden = model.hidden(batch, step.context());
            Tensor sum = model.loss(hidden, batch, options, Reduction.SUM);
            return LossTerm.of(sum, batch.predicted());
        };
    }

    /// Rows for a classifier, with their labels.
    ///
    /// @param input the rows
    /// @param labels numbers of labels, I32 (B), or (B, T) for tokens; [Example#IGNORED] where none
    public record Labelled(BertInput input, Tensor labels) {}

    /// Predicts labels: cross-entropy over those that count, in nats.
    public static Objective<Labelled> classification(FeatureClassifier model) {
        return classification(model, CrossEntropyOptions.DEFAULT);
    }

    /// Predicts labels, with class weights, smoothing and what else the options say.
    ///
    /// With class weights, the loss is divided by the number of labels, not by their weights.
    public static Objective<Labelled> classification(
            FeatureClassifier model, CrossEntropyOptions options) {
        CrossEntropyOptions summing = options.reduction(Reduction.SUM);
        return (batch, step) -> {
            Tensor logits = model.logits(batch.input(), step.context());
            long count = 0;
            for (int label : batch.labels().toInts()) {
                count += label == options.ignoreIndex() ? 0 : 1;
            }
            return LossTerm.of(Losses.crossEntropy(logits, batch.labels(), summing), count);
        };
    }

    /// Does something before the loss of every batch, such as a change of what trains. It must depend
    /// on the step alone, so that a resumed run does the same.
    public static <B> Objective<B> beforeEach(Consumer<Step> action, Objective<B> objective) {
        return new Objective<>() {
            @Override
            public LossTerm loss(B batch, Step step) {
                action.accept(step);
                return objective.loss(batch, step);
            }

            @Override
            public boolean isAccumulationInvariant() {
                return objective.isAccumulationInvariant();
            }

            @Override
            public Map<String, Tensor> state() {
                return objective.state();
            }

            @Override
            public void load(Map<String, Tensor> state) {
                objective.load(state);
            }
        };
    }
}
