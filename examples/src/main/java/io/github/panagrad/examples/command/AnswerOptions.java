package io.github.panagrad.examples.command;

import io.github.panagrad.examples.task.Answering;
import io.github.panagrad.nn.data.Dataset;
import io.github.panagrad.nn.generate.Sampling;
import io.github.panagrad.nn.metrics.FinalAnswer;
import io.github.panagrad.nn.metrics.PassAtK;
import io.github.panagrad.nn.metrics.SampledAnswers;
import io.github.panagrad.nn.models.CausalLM;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/// Says what is measured of a model's answers to the prompts of rows.
final class AnswerOptions {
    @Option(
            names = "--pass-at",
            split = ",",
            paramLabel = "K",
            description = {
                "For rows of prompts with right answers, how often one in K samples is right, such as"
                        + " 1,16 (pass@K, estimated without bias; arXiv 2107.03374).",
                "Default: not measured."
            })
    private List<Integer> passAt = List.of();

    @Option(
            names = "--samples",
            defaultValue = "0",
            paramLabel = "N",
            description = "Samples a row. Default: the largest K.")
    private int samples;

    @Option(
            names = "--exact",
            description =
                    "Draw nothing: for answers that are right word for word only, the mean of"
                            + " 1 - (1 - p)^K, p being how likely the model finds the answer.")
    private boolean exact;

    @Option(
            names = "--rouge",
            description =
                    "Compare the likeliest answer to each prompt with the one in the row: the mean"
                            + " ROUGE-L of words.")
    private boolean rouge;

    @Option(
            names = "--answer-mark",
            defaultValue = "####",
            paramLabel = "TEXT",
            description =
                    "What the final answer stands behind, in rows and in samples; a row without it is"
                            + " right as a whole only. Default: ${DEFAULT-VALUE}.")
    private String mark;

    @Option(
            names = "--answer-tokens",
            defaultValue = "128",
            paramLabel = "N",
            description = "Tokens of a sampled answer at most. Default: ${DEFAULT-VALUE}.")
    private int tokens;

    @Option(
            names = "--temperature",
            defaultValue = "1",
            paramLabel = "X",
            description = "What samples are drawn at. Default: ${DEFAULT-VALUE}.")
    private double temperature;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "N",
            description = "Decides what is drawn. Default: ${DEFAULT-VALUE}.")
    private long seed;

    AnswerOptions() {}

    /// Measures what was asked for, by the names that it is printed under.
    Map<String, Double> measure(CausalLM model, Dataset data, int batchSize) {
        var measured = new LinkedHashMap<String, Double>();
        var answering = new Answering(model, data);
        if (!passAt.isEmpty() && exact) {
            double[] logProb = answering.logProbabilities(batchSize);
            passAt.forEach(k -> measured.put(name(k), PassAtK.exactCoverage(logProb, k)));
        } else if (!passAt.isEmpty()) {
            int most = passAt.stream().mapToInt(Integer::intValue).max().orElse(1);
            Sampling sampling = Sampling.temperature(temperature).maxTokens(tokens).seed(seed);
            SampledAnswers drawn =
                    answering.sample(
                            Math.max(samples == 0 ? most : samples, 1),
                            sampling,
                            new FinalAnswer(mark));
            passAt.forEach(k -> measured.put(name(k), drawn.passAt(k)));
        }
        if (rouge) {
            double[] scores = answering.rougeL(Sampling.greedy().maxTokens(tokens));
            measured.put("rouge-l", Arrays.stream(scores).average().orElse(0));
        }
        return measured;
    }

    private static String name(int k) {
        return "pass@" + k;
    }
}
