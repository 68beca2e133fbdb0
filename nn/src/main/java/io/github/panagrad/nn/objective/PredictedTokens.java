package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.losses.SequenceLogProbability;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.models.CausalLM;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// What a model finds of the predicted tokens of a batch.
///
/// @param nll negative log-likelihoods (B·T), 0 where nothing is predicted
/// @param owners for each place the number in `sequences` of its sequence, −1 where nothing is
///     predicted
/// @param sequences the sequences of which tokens are predicted
record PredictedTokens(Tensor nll, int[] owners, List<Batch.Sequence> sequences) {
    static PredictedTokens of(CausalLM model, Batch batch, Context context, HeadOptions options) {
        Tensor hidden = model.hidden(batch, context);
        int[] targets = batch.targets();
        Tensor nll =
                Losses.perToken(
                                hidden,
                                model.head(),
                                Ops.indices(targets, batch.size(), batch.length()),
                                options,
                                false,
                                false)
                        .nll();
        int[] owners = new int[targets.length];
        Arrays.fill(owners, -1);
        var sequences = new ArrayList<Batch.Sequence>();
        for (Batch.Sequence s : batch.sequences()) {
            boolean any = false;
            int from = s.row() * batch.length() + s.start();
            for (int at = from; at < from + s.length(); at++) {
                // The target of a sequence's last token is the next one's first, which is ignored.
                if (targets[at] != Example.IGNORED) {
                    owners[at] = sequences.size();
                    any = true;
                }
            }
            if (any) {
                sequences.add(s);
            }
        }
        return new PredictedTokens(nll, owners, List.copyOf(sequences));
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
