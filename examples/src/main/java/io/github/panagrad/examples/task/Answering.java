package io.github.panagrad.examples.task;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.metrics.Continuations;
import io.github.panagrad.nn.metrics.FinalAnswer;
import io.github.panagrad.nn.metrics.SampledAnswers;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.Answers;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/// How a model answers prompts whose right answers are known.
///
/// @param model the model
/// @param data prompts, of which nothing counts, with their answers
public record Answering(CausalLM model, Dataset data) {
    /// Samples answers to each prompt, and counts the right ones.
    ///
    /// @param mark what finds the final answer; without one in the row the whole text is compared
    public SampledAnswers sample(int samples, Sampling sampling, FinalAnswer mark) {
        List<SampledAnswers.Problem> problems =
                data.examples().stream()
                        .map(e -> new SampledAnswers.Problem(prompt(e), isRight(answer(e), mark)))
                        .toList();
        return SampledAnswers.draw(model, model.tokenizer(), problems, samples, sampling);
    }

    private static Predicate<String> isRight(String answer, FinalAnswer mark) {
        return mark.find(answer) == null
                ? text -> FinalAnswer.isSame(text, answer)
                : mark.isRight(answer);
    }

    /// Returns how likely the model finds each answer, word for word: the logarithm.
    public double[] logProbabilities(int batchSize) {
        requireAnswers();
        double[] all = new double[data.size()];
        boolean wasTraining = model.isTraining();
        model.training(false);
        try {
            for (Batch batch : Batches.of(data).size(batchSize)) {
                double[] some = Ops.scope(() -> Ops.noGrad(() -> logProbabilities(batch)));
                for (int i = 0; i < some.length; i++) {
                    all[batch.sequences().get(i).example()] = Math.min(some[i], 0);
                }
            }
        } finally {
            model.training(wasTraining);
        }
        return all;
    }

    private double[] logProbabilities(Batch batch) {
        return Answers.of(batch).sequences(model, Context.EMPTY, Reduction.SUM).toDoubles();
    }

    /// Returns the ROUGE-L of what the model writes behind each prompt, by the words of its answer.
    public double[] rougeL(Sampling sampling) {
        return data.examples().stream()
                .mapToDouble(e -> {
                    int[] written = model.generate(prompt(e), sampling, token -> {});
                    return Continuations.rougeL(
                            Continuations.words(model.tokenizer().decode(written, true)),
                            Continuations.words(answer(e)));
                })
                .toArray();
    }

    private static int[] prompt(Example example) {
        requireAnswer(example);
        return Arrays.copyOf(example.inputIds(), example.promptLength());
    }

    private String answer(Example example) {
        int[] ids = example.inputIds();
        return model.tokenizer()
                .decode(Arrays.copyOfRange(ids, example.promptLength(), ids.length), true)
                .strip();
    }

    /// Checks that each row has a prompt and an answer.
    ///
    /// @throws PanagradException if one has not
    public void requireAnswers() {
        data.examples().forEach(Answering::requireAnswer);
    }

    private static void requireAnswer(Example example) {
        int prompt = example.promptLength();
        if (prompt == 0 || prompt == example.length()) {
            throw new PanagradException(
                    "answers",
                    "a row has no prompt or no answer",
                    example.toString(),
                    "a prompt and the right answer",
                    "give rows of {\"prompt\", \"completion\"}");
        }
    }
}
