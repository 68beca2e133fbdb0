package io.github.panagrad.nn.metrics;

import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.CausalLM;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/// How many of several answers sampled to each problem are right.
///
/// ```java
/// var answers = SampledAnswers.draw(model, tokenizer, problems, 64, Sampling.temperature(0.8));
/// double pass8 = answers.passAt(8);
/// ```
///
/// @param samples how many answers each problem was given
/// @param right how many of a problem's were right. Not to be modified
@SuppressWarnings("ArrayRecordComponent")
public record SampledAnswers(int samples, int[] right) {
    /// A problem.
    ///
    /// @param prompt its tokens, with those that begin a text
    /// @param isRight tells by its text whether an answer is right, such as [FinalAnswer#isRight]; for
    ///     code, this is where tests are run
    public record Problem(int[] prompt, Predicate<String> isRight) {}

    /// Samples answers; each has a seed of its own, made of the problem's number and its own.
    ///
    /// @param samples how many each problem gets, at least 1
    public static SampledAnswers draw(
            CausalLM model,
            Tokenizer tokenizer,
            List<Problem> problems,
            int samples,
            Sampling sampling) {
        Checks.require(
                "sampledAnswers",
                samples > 0 && !problems.isEmpty(),
                "nothing to sample",
                problems.size() + " problems, " + samples + " samples",
                "at least one of each");
        int[] right = new int[problems.size()];
        for (int p = 0; p < right.length; p++) {
            Problem problem = problems.get(p);
            for (int i = 0; i < samples; i++) {
                Sampling own = sampling.seed(sampling.seed() + (long) p * samples + i);
                int[] answer = model.generate(problem.prompt(), own, token -> {});
                right[p] += problem.isRight().test(tokenizer.decode(answer)) ? 1 : 0;
            }
        }
        return new SampledAnswers(samples, right);
    }

    /// Returns the mean over problems of pass@k, estimated without bias.
    ///
    /// @param k at most as many as were sampled
    public double passAt(int k) {
        return Arrays.stream(right)
                .mapToDouble(c -> PassAtK.unbiased(samples, c, k))
                .average()
                .orElse(0);
    }

    /// Returns the share of right answers of a problem: how likely its answer is.
    public double probability(int problem) {
        return right[problem] / (double) samples;
    }
}
