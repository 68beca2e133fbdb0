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
import java.util.Arrays;
import java.util.stream.IntStream;

/// The predicted tokens of a batch, and what a model finds of them: the answers, where prompts are
/// ignored. No logits of a whole batch are built.
///
/// Shapes: N predicted tokens in the order of the rows, S sequences, C hidden size.
public final class Answers {
    private final Batch batch;
    private final int[] owners;

    private Answers(Batch batch, int[] owners) {
        this.batch = batch;
        this.owners = owners;
    }

    /// Finds the predicted tokens of a batch.
    public static Answers of(Batch batch) {
        int[] owners = new int[batch.ids().length];
        Arrays.fill(owners, -1);
        int number = 0;
        for (Batch.Sequence s : batch.sequences()) {
            int from = s.row() * batch.length() + s.start();
            for (int at = from; at < from + s.length() - 1; at++) {
                if (batch.labels()[at + 1] != Example.IGNORED) {
                    owners[at] = number;
                }
            }
            number++;
        }
        return new Answers(batch, owners);
    }

    /// Returns for each place of the batch the number of the sequence whose token it predicts, −1 where
    /// nothing is predicted.
    int[] byPlace() {
        return owners.clone();
    }

    /// Returns the number of the sequence, in [Batch#sequences], that each predicted token is of.
    public int[] owners() {
        return Arrays.stream(owners).filter(owner -> owner >= 0).toArray();
    }

    /// Returns where in its sequence each predicted token stands, from 0.
    public int[] offsets() {
        return IntStream.range(0, owners.length)
                .filter(i -> owners[i] >= 0)
                .map(i -> batch.positions()[i] + 1)
                .toArray();
    }

    /// Returns how many tokens of each sequence are predicted.
    public int[] counts() {
        int[] counts = new int[batch.sequences().size()];
        for (int owner : owners()) {
            counts[owner]++;
        }
        return counts;
    }

    /// Picks the states that predict a token. Shapes: hidden (B, T, C) → (N, C).
    public Tensor states(Tensor hidden) {
        return hidden.reshape(-1, hidden.dim(-1)).indexSelect(0, places(hidden));
    }

    private Tensor places(Tensor like) {
        int[] places = IntStream.range(0, owners.length).filter(i -> owners[i] >= 0).toArray();
        return Ops.indices(places, places.length).to(like.device());
    }

    /// Computes each predicted token's log-probability. Shapes: → (N).
    public Tensor tokens(CausalLM model, Context context) {
        return tokenLosses(model, model.hidden(batch, context)).neg();
    }

    /// Computes each predicted token's negative log-likelihood from hidden states that are there
    /// already. Shapes: hidden (B, T, C) → (N).
    Tensor tokenLosses(CausalLM model, Tensor hidden) {
        Tensor nll = nll(model, hidden, HeadOptions.DEFAULT);
        return nll.indexSelect(0, places(nll));
    }

    /// Computes the log-probability of each sequence's predicted tokens together, or their mean.
    ///
    /// Shapes: → (S).
    ///
    /// @throws io.github.panagrad.engine.ground.PanagradException if a mean is asked for and a
    ///     sequence has no predicted token
    public Tensor sequences(CausalLM model, Context context, Reduction reduction) {
        return SequenceLogProbability.of(
                nll(model, model.hidden(batch, context), HeadOptions.DEFAULT),
                owners,
                batch.sequences().size(),
                reduction);
    }

    /// Computes the negative log-likelihood at every place, 0 where nothing is predicted. Shapes: hidden
    /// (B, T, C) → (B·T).
    Tensor nll(CausalLM model, Tensor hidden, HeadOptions options) {
        Tensor targets = Ops.indices(batch.targets(), batch.size(), batch.length());
        return Losses.perToken(hidden, model.head(), targets, options, false, false).nll();
    }

    /// Makes a vector of numbers of the type and on the device of another.
    static Tensor constant(Tensor like, double[] values) {
        return Ops.tensor64(values, values.length).to(like.dtype()).to(like.device());
    }
}
