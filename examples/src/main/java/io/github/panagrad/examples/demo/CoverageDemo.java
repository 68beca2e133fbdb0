package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.metrics.PassAtK;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.DirectCoverage;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// Teaches a small fresh model questions with sixteen likely answers each, plainly and with direct
/// coverage (DCO, arXiv 2502.07154), and asks how often N samples hold the answer that is wanted.
///
/// A question is two digits; an answer is two as well, each a function of the question plus a draw
/// of four. Training shows one draw of some questions again and again, the test another draw of
/// others: who grows sure of what was shown loses coverage. Nothing has to be downloaded.
///
final class CoverageDemo implements Demonstration {
    private static final int DIGITS = 8;
    private static final int CHOICES = 4;
    private static final int TESTED = 16;
    private static final int STEPS = 120;
    private static final double[] SAMPLES = {1, 16, 256};

    @Override
    public String name() {
        return "coverage";
    }

    @Override
    public List<String> shows() {
        return List.of("dco");
    }

    @Override
    public String setting() {
        return "A fresh model of two blocks, 32 wide, learns 48 questions with sixteen likely answers"
                + " each, one of them shown, in 120 steps of 16. On 16 other questions: how likely N"
                + " samples hold the answer that is wanted.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.higher("coverage 256", "pass@256", "training for 256 samples covers more"),
                Claim.higher("coverage 16", "pass@16", "training for 16 samples covers more by 16"),
                Claim.higher("coverage 256", "pass@1", "what a single sample loses is under 0.05")
                        .within(0.05));
    }

    @Override
    public int usualSeeds() {
        return 8;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        for (double n : SAMPLES) {
            double[] logProbs = trained(n, trial);
            for (double k : SAMPLES) {
                figures.add(
                        n == 1 ? "cross-entropy" : "coverage " + (int) n,
                        "pass@" + (int) k,
                        PassAtK.exactCoverage(logProbs, k));
            }
        }
    }

    private static double[] trained(double n, Trial trial) {
        int seed = (int) trial.seed();
        int[] questions =
                IntStream.range(0, DIGITS * DIGITS)
                        .boxed()
                        .sorted((a, b) -> Integer.compare(order(seed, a), order(seed, b)))
                        .mapToInt(Integer::intValue)
                        .toArray();
        var train = new ArrayList<Example>();
        var test = new ArrayList<Example>();
        for (int i = 0; i < questions.length; i++) {
            (i < TESTED ? test : train).add(example(questions[i], seed));
        }
        var model = CausalLM.create(config(), seed);
        new TextTraining(trial.steps(STEPS), 16, 3e-3)
                .run(model, DirectCoverage.of(model, n), Batches.of(train), seed);
        return TokenScore.sums(TokenScore.of(model, test), TESTED);
    }

    private static int order(int seed, int question) {
        return new Rng.Draw(seed, 1).bits(question);
    }

    private static Example example(int question, int seed) {
        var draw = new Rng.Draw(seed, 2);
        int a = question / DIGITS;
        int b = question % DIGITS;
        int first = (a + b + (int) (CHOICES * draw.uniform(2L * question))) % DIGITS;
        int second = (a + 2 * b + (int) (CHOICES * draw.uniform(2L * question + 1))) % DIGITS;
        int none = Example.IGNORED;
        return new Example(
                new int[] {a, b, DIGITS, first, second},
                new int[] {none, none, none, first, second},
                0);
    }

    private static ModelConfig config() {
        return ModelConfig.of(
                JsonObject.of(
                        "model_type",
                        "llama",
                        "vocab_size",
                        DIGITS + 1,
                        "hidden_size",
                        32,
                        "intermediate_size",
                        64,
                        "num_hidden_layers",
                        2,
                        "num_attention_heads",
                        4,
                        "num_key_value_heads",
                        4,
                        "max_position_embeddings",
                        8,
                        "rms_norm_eps",
                        1e-5,
                        "rope_theta",
                        10000.0,
                        "initializer_range",
                        0.1,
                        "tie_word_embeddings",
                        false));
    }
}
