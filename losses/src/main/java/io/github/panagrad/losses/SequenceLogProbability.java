package io.github.panagrad.losses;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.ShapeException;
import io.github.panagrad.engine.op.IndexAdd;
import io.github.panagrad.engine.tape.Tape;

/// Log-probabilities of whole sequences, from what [Losses#perToken] gives for their tokens: preference
/// and policy losses begin here, and no logits of a vocabulary are built for them.
///
/// ```java
/// Tensor nll = Losses.perToken(hidden, head, targets, HeadOptions.DEFAULT, false, false).nll();
/// Tensor logProb = SequenceLogProbability.of(nll, sequences, 4, Reduction.SUM);
/// ```
public final class SequenceLogProbability {
    private SequenceLogProbability() {}

    /// Adds up, or averages, the log-probabilities of the tokens of each sequence, in their order.
    ///
    /// Shapes: nll (T) → (count).
    ///
    /// @param nll negative log-likelihoods
    /// @param sequences which sequence each token belongs to, from 0; negative for a token that does not
    ///     count, such as one of the prompt
    /// @param count how many sequences there are
    /// @param reduction [Reduction#SUM], or [Reduction#MEAN] over the tokens that count
    /// @throws PanagradException if a number is out of range, or a mean is asked for and a sequence has
    ///     no token that counts
    public static Tensor of(Tensor nll, int[] sequences, int count, Reduction reduction) {
        if (nll.rank() != 1 || nll.dim(0) != sequences.length) {
            throw new ShapeException(
                    "sequenceLogProbability",
                    "losses and sequence numbers do not fit",
                    nll.spec() + " and " + sequences.length + " numbers",
                    "a vector and a number for each entry",
                    "");
        }
        double[] factors = new double[count];
        int counted = 0;
        for (int sequence : sequences) {
            if (sequence >= count) {
                throw new PanagradException(
                        "sequenceLogProbability",
                        "no such sequence",
                        "" + sequence,
                        "less than " + count,
                        "");
            }
            if (sequence >= 0) {
                factors[sequence]++;
                counted++;
            }
        }
        int[] tokens = new int[counted];
        int[] owners = new int[counted];
        int at = 0;
        for (int i = 0; i < sequences.length; i++) {
            if (sequences[i] >= 0) {
                tokens[at] = i;
                owners[at++] = sequences[i];
            }
        }
        Tensor sums =
                Tape.one(
                        new IndexAdd(0, count),
                        nll.indexSelect(0, Ops.indices(tokens, counted).to(nll.device())),
                        Ops.indices(owners, counted).to(nll.device()));
        return switch (reduction) {
            case SUM -> sums.neg();
            case MEAN -> sums.mul(negativeReciprocals(factors, nll));
            case NONE -> throw new PanagradException("sequenceLogProbability: needs SUM or MEAN");
        };
    }

    private static Tensor negativeReciprocals(double[] counts, Tensor like) {
        double[] factors = new double[counts.length];
        for (int i = 0; i < factors.length; i++) {
            if (counts[i] == 0) {
                throw new PanagradException(
                        "sequenceLogProbability",
                        "no token counts in sequence " + i,
                        "",
                        "at least one for a mean",
                        "is its completion empty, or cut off?");
            }
            factors[i] = -1 / counts[i];
        }
        return Constants.like(like, factors);
    }
}
