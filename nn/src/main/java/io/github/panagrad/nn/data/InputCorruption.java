package io.github.panagrad.nn.data;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import java.util.Arrays;
import java.util.stream.IntStream;

/// Masks or replaces tokens of inputs at random and leaves labels alone, as in Masked Thought
/// fine-tuning (arXiv 2403.02178, section 2).
///
/// What befalls a token depends on the seed, the epoch, the example and the token's place in it: not
/// on batches, packing or threads. Padding, special tokens, the first token of a sequence and, unless
/// asked for, those that are not predicted, such as prompts, are never hit.
///
/// ```java
/// var corruption = InputCorruption.of(maskId, vocabulary, seed).special(bos, eos).rate(0.4);
/// ```
public final class InputCorruption {
    private final int maskId;
    private final int vocabulary;
    private final long seed;
    private final int[] special;
    private final double rate;
    private final double warmup;
    private final double replaceRate;
    private final Scope scope;
    private final int[] answerMark;
    private final int[] ordinary;

    /// Which tokens can be hit.
    public enum Scope {
        /// Those that are predicted: answers.
        TARGET,
        /// Those that are predicted before the mark of the final answer: chains of thought.
        CHAIN,
        /// All but the first of a sequence.
        ALL
    }

    private InputCorruption(
            int maskId,
            int vocabulary,
            long seed,
            int[] special,
            double rate,
            double warmup,
            double replaceRate,
            Scope scope,
            int[] answerMark) {
        this.maskId = maskId;
        this.vocabulary = vocabulary;
        this.seed = seed;
        this.special = special;
        this.rate = rate;
        this.warmup = warmup;
        this.replaceRate = replaceRate;
        this.scope = scope;
        this.answerMark = answerMark;
        this.ordinary =
                IntStream.range(0, vocabulary)
                        .filter(id -> id != maskId && Arrays.binarySearch(special, id) < 0)
                        .toArray();
        if (maskId < 0 || maskId >= vocabulary || ordinary.length == 0) {
            throw new PanagradException(
                    "corruption",
                    "no token to put in place of another",
                    "mask " + maskId + ", " + ordinary.length + " ordinary tokens",
                    "a mask from 0 to " + (vocabulary - 1) + ", and an ordinary token",
                    "");
        }
    }

    /// Creates a corruption that masks at a rate rising to 0.4 over two thirds of the run.
    ///
    /// @param maskId the token that hides others, such as a new or the padding one
    /// @param vocabulary how many tokens there are
    public static InputCorruption of(int maskId, int vocabulary, long seed) {
        return new InputCorruption(
                maskId, vocabulary, seed, new int[0], 0.4, 2.0 / 3, 0, Scope.TARGET, new int[0]);
    }

    /// Spares tokens, such as those that begin and end a text, and never puts them in.
    public InputCorruption special(int... ids) {
        int[] sorted = ids.clone();
        Arrays.sort(sorted);
        return new InputCorruption(
                maskId, vocabulary, seed, sorted, rate, warmup, replaceRate, scope, answerMark);
    }

    /// Sets the largest share of tokens that is hit.
    public InputCorruption rate(double max) {
        requireShare("rate", max);
        return new InputCorruption(
                maskId, vocabulary, seed, special, max, warmup, replaceRate, scope, answerMark);
    }

    /// Sets over which share of the run the rate rises; 0 for a rate that is the largest at once.
    public InputCorruption warmup(double share) {
        requireShare("warmup", share);
        return new InputCorruption(
                maskId, vocabulary, seed, special, rate, share, replaceRate, scope, answerMark);
    }

    /// Sets the share of hit tokens that becomes a random ordinary token and not the mask.
    public InputCorruption replaceRate(double share) {
        requireShare("replaceRate", share);
        return new InputCorruption(
                maskId, vocabulary, seed, special, rate, warmup, share, scope, answerMark);
    }

    /// Sets which tokens can be hit.
    ///
    /// @throws PanagradException for [Scope#CHAIN], which needs [#chain]
    public InputCorruption scope(Scope which) {
        if (which == Scope.CHAIN && answerMark.length == 0) {
            throw new PanagradException(
                    "corruption", "no mark says where a chain ends", "", "", "use chain(ids)");
        }
        return new InputCorruption(
                maskId, vocabulary, seed, special, rate, warmup, replaceRate, which, answerMark);
    }

    /// Lets tokens of chains of thought be hit only: those that are predicted before the mark of the
    /// final answer, such as `####`. The mark and what follows stay; without a mark, all is chain.
    ///
    /// @param mark the mark's tokens as they stand in answers
    public InputCorruption chain(int... mark) {
        if (mark.length == 0) {
            throw new PanagradException("corruption", "an empty mark", "", "a token", "");
        }
        return new InputCorruption(
                maskId,
                vocabulary,
                seed,
                special,
                rate,
                warmup,
                replaceRate,
                Scope.CHAIN,
                mark.clone());
    }

    private static void requireShare(String what, double value) {
        if (!(value >= 0 && value <= 1)) {
            throw new PanagradException(
                    "corruption", what + " is out of range", "" + value, "0 to 1", "");
        }
    }

    /// Returns the rate of a step, min(r, r·step/(ρ·total + 1)) for a warm-up of ρ.
    ///
    /// @param step the number of the step, from 0
    /// @param total how many steps there will be
    /// @throws PanagradException if the rate rises over a share of the run and its length is not known
    public double rateAt(long step, long total) {
        if (warmup == 0) {
            return rate;
        }
        if (total <= 0) {
            throw new PanagradException(
                    "corruption",
                    "the rate rises over the run and its length is not known",
                    "",
                    "",
                    "train for a number of steps, or set warmup(0)");
        }
        return Math.min(rate, rate * step / (warmup * total + 1));
    }

    /// Returns a batch with other inputs and the same labels.
    ///
    /// @param epoch the number of the pass over the data; each has other hits
    /// @param share the share of tokens to hit, such as [#rateAt] gives
    public Batch corrupt(Batch batch, long epoch, double share) {
        requireShare("share", share);
        int[] ids = batch.ids().clone();
        for (Batch.Sequence s : batch.sequences()) {
            var draw = new Rng.Draw(seed, epoch << 32 | s.example());
            int from = s.row() * batch.length() + s.start();
            int end = scope == Scope.CHAIN ? chainEnd(batch, from, s.length()) : s.length();
            for (int t = 1; t < end; t++) {
                boolean can =
                        (scope == Scope.ALL || batch.labels()[from + t] != Example.IGNORED)
                                && Arrays.binarySearch(special, ids[from + t]) < 0;
                if (can && draw.uniform(3L * t) < share) {
                    ids[from + t] = instead(draw, 3L * t + 1);
                }
            }
        }
        return new Batch(
                batch.size(),
                batch.length(),
                ids,
                batch.labels(),
                batch.positions(),
                batch.segments(),
                batch.sequences());
    }

    /// Returns where in a sequence the mark of the final answer begins, or its length without one.
    private int chainEnd(Batch batch, int from, int length) {
        for (int t = 1; t + answerMark.length <= length; t++) {
            int at = from + t;
            if (batch.labels()[at] != Example.IGNORED
                    && Arrays.equals(
                            batch.ids(),
                            at,
                            at + answerMark.length,
                            answerMark,
                            0,
                            answerMark.length)) {
                return t;
            }
        }
        return length;
    }

    private int instead(Rng.Draw draw, long index) {
        if (draw.uniform(index) >= replaceRate) {
            return maskId;
        }
        long bits = Integer.toUnsignedLong(draw.bits(index + 1));
        return ordinary[(int) ((bits * ordinary.length) >>> 32)];
    }
}
