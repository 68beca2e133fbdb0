package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.metrics.PassAtK;
import io.github.panagrad.nn.metrics.Spread;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.DirectCoverage;
import io.github.panagrad.nn.objective.ReferenceScores;
import io.github.panagrad.nn.optim.AdamW;
import io.github.panagrad.nn.train.BatchSource;
import io.github.panagrad.nn.train.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// Teaches a small fresh model questions with sixteen likely answers each, plainly and with direct
/// coverage (DCO, arXiv 2502.07154), and asks how often N samples hold the answer that is wanted.
///
/// A question is two digits; an answer is two as well, each a function of the question plus a draw
/// of four. Training shows one draw of some questions again and again, the test another draw of
/// others: who grows sure of what was shown loses coverage. Nothing has to be downloaded.
///
/// @param seeds how many runs of each arm
/// @param epochs passes over the training data
public record CoverageDemo(int seeds, int epochs) {
    private static final int DIGITS = 8;
    private static final int CHOICES = 4;
    private static final int TESTED = 16;
    private static final double[] ARMS = {1, 16, 256};

    /// What came of an arm.
    ///
    /// @param n samples that were trained for; 1 is the plain arm, cross-entropy
    /// @param coverage the share of test questions answered by 1, 16 and 256 samples, over seeds
    public record Arm(double n, List<Spread> coverage) {}

    /// Trains all arms on the same data, steps and seeds, and returns their figures.
    public List<Arm> run() {
        var arms = new ArrayList<Arm>();
        for (double n : ARMS) {
            double[][] covered = new double[ARMS.length][seeds];
            for (int seed = 0; seed < seeds; seed++) {
                double[] logProbs = trained(n, seed);
                for (int k = 0; k < ARMS.length; k++) {
                    covered[k][seed] = PassAtK.exactCoverage(logProbs, ARMS[k]);
                }
            }
            arms.add(new Arm(n, Arrays.stream(covered).map(Spread::of).toList()));
        }
        return List.copyOf(arms);
    }

    /// Lays figures out as a table.
    public static String table(List<Arm> arms) {
        var text = new StringBuilder("trained for    pass@1           pass@16          pass@256\n");
        for (Arm arm : arms) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            "%-14s %-16s %-16s %-16s%n",
                            arm.n() == 1 ? "cross-entropy" : "coverage " + (int) arm.n(),
                            arm.coverage().get(0),
                            arm.coverage().get(1),
                            arm.coverage().get(2)));
        }
        return text.toString();
    }

    private double[] trained(double n, int seed) {
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
        Trainer.of(model, AdamW.of(model.trainable()).lr(3e-3), DirectCoverage.of(model, n))
                .epochs(epochs)
                .seed(seed)
                .run(BatchSource.of(Batches.of(train).size(16).shuffled(seed)));
        var keys =
                IntStream.range(0, TESTED)
                        .mapToObj(i -> ReferenceScores.key("test", Integer.toString(i)))
                        .toList();
        var scores = new ReferenceScores("trained");
        scores.score(model, Batches.of(test).size(TESTED), keys);
        // An answer is two tokens; a score is the mean of its tokens.
        return Arrays.stream(ReferenceScores.means(keys, scores)).map(m -> 2 * m).toArray();
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
