package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.train.LossTerm;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Step;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.stream.IntStream;

/// Samples answers to the prompts of each batch with the policy as it is, and learns from those that
/// are better than others to the same prompt.
///
/// The rows of a batch are prompts with the answers that are wanted; these are not learnt but given
/// to the reward. Each batch is used for one step, so that no ratio is clipped. Reports the mean
/// `reward` beside what [PolicySurrogate] does. A batch in which no group differs has a gradient of 0
/// but for the penalty. Source: Shao et al. 2024, GRPO, arXiv 2402.03300, section 4.1.
///
/// ```java
/// var objective = new Grpo(surrogate, 8, Sampling.temperature(1).maxTokens(64), reward);
/// ```
///
/// @param surrogate the loss over sampled answers
/// @param group answers to each prompt, 2 or more
/// @param sampling how answers are drawn; its seed is one of many that the step decides
/// @param reward says how good an answer is
public record Grpo(PolicySurrogate surrogate, int group, Sampling sampling, Reward reward)
        implements Objective<Batch> {
    /// Says how good an answer is, beside the one that is wanted.
    @FunctionalInterface
    public interface Reward {
        /// Returns a number that is greater for a better answer.
        ///
        /// @param answer the tokens sampled, without the one that ended them
        /// @param wanted the tokens of the answer in the data
        double of(int[] answer, int[] wanted);
    }

    @Override
    public LossTerm loss(Batch batch, Step step) {
        CausalLM policy = surrogate.policy();
        var wanted = new IdentityHashMap<int[], int[]>();
        List<int[]> prompts = batch.sequences().stream().map(s -> split(batch, s, wanted)).toList();
        double[] sum = new double[1];
        Sampling own = sampling.seed(step.context().rng().draw().bits(0));
        Rollouts.Reward rewarded =
                (prompt, answer) -> {
                    double r = reward.of(answer, wanted.getOrDefault(prompt, new int[0]));
                    sum[0] += r;
                    return r;
                };
        boolean training = policy.isTraining();
        policy.training(false);
        RolloutBatch rollouts;
        try {
            rollouts = Rollouts.sample(policy, prompts, group, own, rewarded);
        } finally {
            policy.training(training);
        }
        LossTerm term = surrogate.loss(rollouts, step);
        var report = new HashMap<>(term.report());
        report.put("reward", sum[0] / (prompts.size() * group));
        return new LossTerm(term.sum(), term.count(), term.tokens(), report);
    }

    /// Returns a sequence's prompt, and notes its answer.
    private static int[] split(
            Batch batch, Batch.Sequence sequence, IdentityHashMap<int[], int[]> wanted) {
        int from = sequence.row() * batch.length() + sequence.start();
        int[] ids = Arrays.copyOfRange(batch.ids(), from, from + sequence.length());
        int[] labels = Arrays.copyOfRange(batch.labels(), from, from + sequence.length());
        int answer =
                IntStream.range(0, labels.length)
                        .filter(i -> labels[i] != Example.IGNORED)
                        .findFirst()
                        .orElse(labels.length);
        if (answer == 0 || answer == ids.length) {
            throw new PanagradException(
                    "grpo",
                    "a row has no prompt or no answer",
                    ids.length + " tokens, " + answer + " of them before the first that counts",
                    "a prompt and the answer that is wanted",
                    "give rows of {\"prompt\", \"completion\"}");
        }
        int[] prompt = Arrays.copyOf(ids, answer);
        wanted.put(prompt, Arrays.copyOfRange(ids, answer, ids.length));
        return prompt;
    }
}
