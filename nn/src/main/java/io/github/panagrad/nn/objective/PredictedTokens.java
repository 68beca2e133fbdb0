package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.losses.SequenceLogProbability;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.models.CausalLM;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// What a model finds of the predicted tokens of a batch: [Answers] at every place, and without the
/// sequences of which nothing is predicted.
///
/// @param nll negative log-likelihoods (B·T), 0 where nothing is predicted
/// @param owners for each place the number in `sequences` of its sequence, −1 where nothing is
///     predicted
/// @param sequences the sequences of which tokens are predicted
record PredictedTokens(Tensor nll, int[] owners, List<Batch.Sequence> sequences) {
    static PredictedTokens of(CausalLM model, Batch batch, Context context, HeadOptions options) {
        Answers answers = Answers.of(batch);
        int[] counts = answers.counts();
        int[] numbers = new int[counts.length];
        var sequences = new ArrayList<Batch.Sequence>();
        for (int i = 0; i < counts.length; i++) {
            numbers[i] = sequences.size();
            if (counts[i] > 0) {
                sequences.add(batch.sequences().get(i));
            }
        }
        return new PredictedTokens(
                answers.nll(model, model.hidden(batch, context), options),
                Arrays.stream(answers.byPlace()).map(i -> i < 0 ? i : numbers[i]).toArray(),
                List.copyOf(sequences));
    }

    static PredictedTokens of(CausalLM model, Batch batch, Context context) {
        return of(model, batch, context, HeadOptions.DEFAULT);
    }

    boolean isEmpty() {
        return sequences.isEmpty();
    }

    /// Adds up, or averages, the log-probabilities of each sequence. Shapes: → (sequences).
    Tensor logProb(Reduction reduction) {
        return SequenceLogProbability.of(nll, owners, sequences.size(), reduction);
    }
}
