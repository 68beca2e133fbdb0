package io.github.panagrad.nn.generate;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.engine.ground.Rng;
import java.util.Arrays;
import java.util.BitSet;

/// Chooses tokens from logits, one after the other.
///
/// The same logits and seed give the same tokens. Among equal logits the smaller id counts as the
/// likelier.
public final class Sampler {
    private final Sampling sampling;
    private final Rng.Draw draw;
    private final BitSet seen = new BitSet();
    private long drawn;

    /// Creates a sampler at the start of its random numbers.
    public Sampler(Sampling sampling) {
        this.sampling = sampling;
        this.draw = Rng.of(sampling.seed()).draw();
    }

    /// Counts a token as seen: those of the prompt.
    public void see(int token) {
        seen.set(token);
    }

    /// Chooses the next token and counts it as seen.
    ///
    /// @param logits one a token of the vocabulary
    /// @throws PanagradException if no logit is a number
    public int next(float[] logits) {
        float[] penalised = penalised(logits);
        int token = sampling.temperature() == 0 ? likeliest(penalised) : drawn(penalised);
        seen.set(token);
        return token;
    }

    private float[] penalised(float[] logits) {
        float penalty = (float) sampling.repetitionPenalty();
        if (penalty == 1) {
            return logits;
        }
        float[] changed = logits.clone();
        seen.stream()
                .filter(token -> token < changed.length)
                .forEach(token -> changed[token] *= changed[token] > 0 ? 1 / penalty : penalty);
        return changed;
    }

    private static int likeliest(float[] logits) {
        int best = -1;
        for (int i = 0; i < logits.length; i++) {
            if (!Float.isNaN(logits[i]) && (best < 0 || logits[i] > logits[best])) {
                best = i;
            }
        }
        if (best < 0) {
            throw new PanagradException(
                    "sampling", "no logit is a number", "NaN", "", "did training diverge?");
        }
        return best;
    }

    private int drawn(float[] logits) {
        int[] candidates = candidates(logits);
        double[] weights = new double[candidates.length];
        double most = logits[likeliest(logits)];
        double total = 0;
        for (int i = 0; i < weights.length; i++) {
            weights[i] = Math.exp((logits[candidates[i]] - most) / sampling.temperature());
            total += weights[i];
        }
        double reached = 0;
        int kept = weights.length;
        if (sampling.topP() < 1) {
            for (kept = 0; kept < weights.length && reached < sampling.topP() * total; kept++) {
                reached += weights[kept];
            }
        } else {
            reached = total;
        }
        double target = draw.uniform(drawn++) * reached;
        for (int i = 0; i < kept; i++) {
            target -= weights[i];
            if (target < 0) {
                return candidates[i];
            }
        }
        return candidates[kept - 1];
    }

    /// Returns the tokens to draw from: the likeliest first where some are cut off, else in order.
    private int[] candidates(float[] logits) {
        long[] ranked = new long[logits.length];
        int count = 0;
        for (int i = 0; i < logits.length; i++) {
            if (!Float.isNaN(logits[i])) {
                ranked[count++] = (long) descending(logits[i]) << Integer.SIZE | i;
            }
        }
        boolean cut = sampling.topP() < 1 || sampling.topK() > 0;
        if (cut) {
            Arrays.sort(ranked, 0, count);
            count = sampling.topK() > 0 ? Math.min(count, sampling.topK()) : count;
        }
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++) {
            tokens[i] = (int) ranked[i];
        }
        return tokens;
    }

    /// Maps greater numbers to smaller ones: what to sort by.
    private static int descending(float logit) {
        int bits = Float.floatToIntBits(logit);
        int ascending = bits ^ (bits >> 31 & Integer.MAX_VALUE);
        return ~ascending;
    }
}
