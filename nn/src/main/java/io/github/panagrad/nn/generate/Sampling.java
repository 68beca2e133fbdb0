package io.github.panagrad.nn.generate;

import io.github.panagrad.engine.ground.PanagradException;
import java.util.Set;
import java.util.TreeSet;

/// How tokens are chosen and when to end. Immutable.
///
/// ```java
/// Sampling.temperature(0.8).topK(40).topP(0.95).seed(7).maxTokens(200)
/// ```
///
/// @param temperature what logits are divided by; 0 takes the likeliest token
/// @param topK how many of the likeliest tokens are drawn from; 0 for all
/// @param topP the likeliest tokens that together reach this probability are drawn from (Holtzman
///     et al., arXiv 1904.09751); 1 for all
/// @param repetitionPenalty what makes tokens seen before less likely: positive logits are divided
///     by it, negative ones multiplied (Keskar et al., arXiv 1909.05858); 1 for none
/// @param maxTokens how many tokens to generate at most
/// @param stopTokens tokens that end the text, besides the model's own; they are not given out
/// @param seed of the random numbers
public record Sampling(
        double temperature,
        int topK,
        double topP,
        double repetitionPenalty,
        int maxTokens,
        Set<Integer> stopTokens,
        long seed) {
    private static final int DEFAULT_MAX_TOKENS = 256;

    /// Checks the ranges.
    public Sampling {
        check("temperature", temperature, temperature >= 0 && temperature < 1e6, "0 or more");
        check("topK", topK, topK >= 0, "0 or more");
        check("topP", topP, topP > 0 && topP <= 1, "above 0, at most 1");
        check("repetitionPenalty", repetitionPenalty, repetitionPenalty > 0, "above 0");
        check("maxTokens", maxTokens, maxTokens >= 0, "0 or more");
        stopTokens = Set.copyOf(stopTokens);
    }

    private static void check(String name, double value, boolean fits, String expected) {
        if (!fits) {
            throw new PanagradException(
                    "sampling", name + " out of range", "" + value, expected, "");
        }
    }

    /// Takes the likeliest token each time, at most 256 of them.
    public static Sampling greedy() {
        return temperature(0);
    }

    /// Draws from the model's distribution, sharpened below 1 and flattened above, at most 256
    /// tokens.
    public static Sampling temperature(double temperature) {
        return new Sampling(temperature, 0, 1, 1, DEFAULT_MAX_TOKENS, Set.of(), 0);
    }

    /// Draws from the `k` likeliest tokens only; 0 for all.
    public Sampling topK(int k) {
        return new Sampling(temperature, k, topP, repetitionPenalty, maxTokens, stopTokens, seed);
    }

    /// Draws from the likeliest tokens that together reach probability `p`; 1 for all.
    public Sampling topP(double p) {
        return new Sampling(temperature, topK, p, repetitionPenalty, maxTokens, stopTokens, seed);
    }

    /// Makes tokens seen before less likely; 1 for no such thing.
    public Sampling repetitionPenalty(double penalty) {
        return new Sampling(temperature, topK, topP, penalty, maxTokens, stopTokens, seed);
    }

    /// Ends after this many tokens.
    public Sampling maxTokens(int count) {
        return new Sampling(temperature, topK, topP, repetitionPenalty, count, stopTokens, seed);
    }

    /// Ends at this token too.
    public Sampling stopToken(int id) {
        var more = new TreeSet<>(stopTokens);
        more.add(id);
        return new Sampling(temperature, topK, topP, repetitionPenalty, maxTokens, more, seed);
    }

    /// Seeds the random numbers.
    public Sampling seed(long value) {
        return new Sampling(
                temperature, topK, topP, repetitionPenalty, maxTokens, stopTokens, value);
    }
}
