package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.HeadOptions;
import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.Tensor;
import io.github.panagrad.engine.TransformerOps.TokenLosses;
import io.github.panagrad.losses.Losses;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.metrics.Calibration;
import io.github.panagrad.nn.models.CausalLM;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/// What a model finds of one predicted token.
///
/// @param example the number of the example it is in
/// @param token the token
/// @param nll its negative log-likelihood, in nats
/// @param right whether no other token is likelier
/// @param confidence the probability of the likeliest token
record TokenScore(int example, int token, double nll, boolean right, double confidence) {
    private static final int ROWS = 8;
    private static final int BINS = 15;

    /// Asks a model for all predicted tokens of examples, in their order.
    static List<TokenScore> of(CausalLM model, List<Example> examples) {
        var scores = new ArrayList<TokenScore>();
        for (Batch batch : Batches.of(examples).size(ROWS)) {
            Ops.scope(() -> {
                Ops.noGrad(() -> {
                    ask(model, batch, scores);
                    return null;
                });
            });
        }
        return scores;
    }

    private static void ask(CausalLM model, Batch batch, List<TokenScore> scores) {
        Tensor hidden = model.hidden(batch);
        int[] targets = batch.targets();
        TokenLosses asked = losses(model, hidden, targets);
        int[] best = Objects.requireNonNull(asked.argMax()).toInts();
        double[] nll = asked.nll().toDoubles();
        // The likelihood of the likeliest token is that of a target; there is none where none is.
        int[] known = Arrays.stream(best).map(id -> id < 0 ? Example.IGNORED : id).toArray();
        double[] bestNll = losses(model, hidden, known).nll().toDoubles();
        for (Batch.Sequence s : batch.sequences()) {
            int from = s.row() * batch.length() + s.start();
            for (int at = from; at < from + s.length() - 1; at++) {
                if (targets[at] != Example.IGNORED) {
                    scores.add(
                            new TokenScore(
                                    s.example(),
                                    targets[at],
                                    nll[at],
                                    best[at] == targets[at],
                                    Math.min(1, Math.exp(-bestNll[at]))));
                }
            }
        }
    }

    private static TokenLosses losses(CausalLM model, Tensor hidden, int[] targets) {
        return Losses.perToken(
                hidden,
                model.head(),
                Ops.indices(targets, targets.length),
                HeadOptions.DEFAULT,
                false,
                true);
    }

    /// Returns the mean negative log-likelihood.
    static double loss(List<TokenScore> scores) {
        return scores.stream().mapToDouble(TokenScore::nll).average().orElse(Double.NaN);
    }

    /// Returns the share of tokens that are the likeliest ones.
    static double accuracy(List<TokenScore> scores) {
        return scores.stream().mapToDouble(s -> s.right ? 1 : 0).average().orElse(Double.NaN);
    }

    /// Returns the expected calibration error of the likeliest tokens.
    static double calibrationError(List<TokenScore> scores) {
        double[] confidence = scores.stream().mapToDouble(TokenScore::confidence).toArray();
        boolean[] right = new boolean[confidence.length];
        for (int i = 0; i < right.length; i++) {
            right[i] = scores.get(i).right;
        }
        return Calibration.expectedError(confidence, right, BINS);
    }

    /// Returns the log-likelihood of each example's tokens together.
    static double[] sums(List<TokenScore> scores, int examples) {
        double[] sums = new double[examples];
        scores.forEach(s -> sums[s.example] -= s.nll);
        return sums;
    }

    /// Returns the mean log-likelihood of each example's tokens.
    static double[] means(List<TokenScore> scores, int examples) {
        double[] sums = sums(scores, examples);
        int[] counts = new int[examples];
        scores.forEach(s -> counts[s.example]++);
        for (int i = 0; i < examples; i++) {
            sums[i] /= counts[i];
        }
        return sums;
    }

    /// Tells of each example whether all its tokens are the likeliest ones, so that greedy decoding
    /// would find them.
    static boolean[] greedy(List<TokenScore> scores, int examples) {
        boolean[] all = new boolean[examples];
        Arrays.fill(all, true);
        scores.forEach(s -> all[s.example] &= s.right);
        return all;
    }
}
