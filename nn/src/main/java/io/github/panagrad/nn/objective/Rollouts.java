package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.models.CausalLM;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;

/// Samples several answers to each prompt and compares them with each other.
///
/// An answer's advantage is its reward less the mean of its group, divided by the group's standard
/// deviation; 0 where all rewards are equal. Source: Shao et al. 2024, arXiv 2402.03300, section
/// 4.1.2.
///
/// ```java
/// RolloutBatch batch =
///         Rollouts.sample(
///                 model, prompts, 8, Sampling.temperature(1).maxTokens(64), (p, answer) -> …);
/// ```
public final class Rollouts {
    private Rollouts() {}

    /// Says how good an answer is.
    @FunctionalInterface
    public interface Reward {
        /// Returns a number that is greater for a better answer.
        ///
        /// @param prompt the tokens of the prompt
        /// @param answer the tokens sampled, without the one that ended them
        double of(int[] prompt, int[] answer);
    }

    /// Samples `group` answers to each prompt.
    ///
    /// Where one token alone can end an answer, it is learnt as a part of the answers that it ended.
    /// Log-probabilities are those of the plain policy, whatever temperature is sampled at. Answers
    /// without any token take part in the group's mean, and are left out of the batch.
    ///
    /// @param sampling how to choose tokens; each answer gets a seed of its own from this one's
    /// @throws PanagradException if a group is smaller than two, or all answers are empty
    public static RolloutBatch sample(
            CausalLM policy, List<int[]> prompts, int group, Sampling sampling, Reward reward) {
        if (group < 2) {
            throw new PanagradException(
                    "rollouts", "group is too small to compare", "" + group, "2 or more", "");
        }
        List<Example> examples = new ArrayList<>();
        List<Double> advantages = new ArrayList<>();
        for (int p = 0; p < prompts.size(); p++) {
            int[] prompt = prompts.get(p);
            double[] rewards = new double[group];
            List<int[]> answers = new ArrayList<>();
            for (int i = 0; i < group; i++) {
                Sampling own = sampling.seed(sampling.seed() + (long) p * group + i);
                int[] answer = policy.generate(prompt, own, token -> {});
                rewards[i] = reward.of(prompt, answer);
                answers.add(ended(policy, answer, prompt.length, own));
            }
            double[] relative = relative(rewards);
            for (int i = 0; i < group; i++) {
                if (answers.get(i).length > 0) {
                    examples.add(example(prompt, answers.get(i)));
                    advantages.add(relative[i]);
                }
            }
        }
        if (examples.isEmpty()) {
            throw new PanagradException("rollouts", "all answers are empty", "", "a token", "");
        }
        Batch batch = Batches.of(examples).size(examples.size()).cursor().next();
        double[] sampled =
                Ops.scope(() ->
                        Ops.noGrad(
                                () -> Answers.of(batch).tokens(policy, Context.EMPTY).toDoubles()));
        return new RolloutBatch(
                batch, advantages.stream().mapToDouble(Double::doubleValue).toArray(), sampled);
    }

    /// Compares the rewards of a group: less their mean, over their standard deviation.
    public static double[] relative(double[] rewards) {
        double mean = Arrays.stream(rewards).average().orElse(0);
        double variance =
                Arrays.stream(rewards).map(r -> (r - mean) * (r - mean)).average().orElse(0);
        double deviation = Math.sqrt(variance);
        return Arrays.stream(rewards)
                .map(r -> variance == 0 ? 0 : (r - mean) / deviation)
                .toArray();
    }

    /// Adds the token that ended an answer, where there is no doubt which it was.
    private static int[] ended(CausalLM policy, int[] answer, int prompt, Sampling sampling) {
        var stops = new TreeSet<>(sampling.stopTokens());
        stops.addAll(policy.config().eosIds());
        int room = policy.config().maxPositions() - prompt - answer.length;
        if (answer.length == sampling.maxTokens() || room < 1 || stops.size() != 1) {
            return answer;
        }
        int[] whole = Arrays.copyOf(answer, answer.length + 1);
        whole[answer.length] = stops.first();
        return whole;
    }

    private static Example example(int[] prompt, int[] answer) {
        int[] ids = Arrays.copyOf(prompt, prompt.length + answer.length);
        System.arraycopy(answer, 0, ids, prompt.length, answer.length);
        int[] labels = ids.clone();
        Arrays.fill(labels, 0, prompt.length, Example.IGNORED);
        return new Example(ids, labels, 0);
    }
}
