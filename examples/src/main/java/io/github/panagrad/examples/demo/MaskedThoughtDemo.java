package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.ground.Rng;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.data.InputCorruption;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.ModelConfig;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.MaskedThought;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/// Adds four digits one after another, each sum being written down: with written sums masked or replaced
/// in the input, beside clean inputs.
final class MaskedThoughtDemo implements Demonstration {
    private static final int BASE = 7;
    private static final int EQUALS = BASE;
    private static final int MASK = BASE + 1;
    private static final int DIGITS = 4;
    private static final int TRAINED = 120;
    private static final int TESTED = 300;

    @Override
    public String name() {
        return "masked-thought";
    }

    @Override
    public List<String> shows() {
        return List.of("MaskedThought", "InputCorruption");
    }

    @Override
    public String setting() {
        return "A fresh model of two blocks, 32 wide, learns chains of additions modulo 7: four digits,"
                + " then the three sums. 120 questions, 200 steps of 32; measured on 300 others. A"
                + " chain counts as found if greedy decoding writes all three sums.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.higher("masked 0.4", "chains found", "masking finds more chains"),
                Claim.higher("replaced 0.4", "chains found", "replacing finds more chains"),
                Claim.lower(
                        "masked 0.4", "gap", "masking narrows the gap of test and training loss"),
                Claim.lower("replaced 0.4", "gap", "replacing narrows it too"));
    }

    @Override
    public int usualSeeds() {
        return 4;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        int[] order =
                new Rng.Draw(trial.seed(), 5).permutation((int) Math.round(Math.pow(BASE, DIGITS)));
        int trained = trial.rows(TRAINED);
        List<Example> train = chains(order, 0, trained);
        List<Example> test = chains(order, trained, trained + trial.rows(TESTED));
        var corruption = InputCorruption.of(MASK, MASK + 1, trial.seed()).special(EQUALS);
        Map<String, Function<Objective<Batch>, Objective<Batch>>> arms = new LinkedHashMap<>();
        arms.put("clean inputs", plain -> plain);
        arms.put("masked 0.4", plain -> new MaskedThought(plain, corruption));
        arms.put("replaced 0.4", plain -> new MaskedThought(plain, corruption.replaceRate(1)));
        arms.forEach((arm, objective) -> {
            var model = CausalLM.create(config(), trial.seed());
            new TextTraining(trial.steps(200), 32, 5e-3)
                    .run(
                            model,
                            objective.apply(Objectives.nextToken(model)),
                            Batches.of(train),
                            trial.seed());
            List<TokenScore> asked = TokenScore.of(model, test);
            boolean[] found = TokenScore.greedy(asked, test.size());
            double loss = TokenScore.loss(asked);
            figures.add(
                    arm,
                    "chains found",
                    IntStream.range(0, found.length).filter(i -> found[i]).count()
                            / (double) found.length);
            figures.add(arm, "test loss", loss);
            figures.add(arm, "gap", loss - TokenScore.loss(TokenScore.of(model, train)));
        });
    }

    private static List<Example> chains(int[] questions, int from, int to) {
        return Arrays.stream(questions, from, to).mapToObj(MaskedThoughtDemo::chain).toList();
    }

    private static Example chain(int question) {
        int[] ids = new int[2 * DIGITS];
        int rest = question;
        for (int i = 0; i < DIGITS; i++) {
            ids[i] = rest % BASE;
            rest /= BASE;
        }
        ids[DIGITS] = EQUALS;
        int sum = ids[0];
        for (int i = 1; i < DIGITS; i++) {
            sum = (sum + ids[i]) % BASE;
            ids[DIGITS + i] = sum;
        }
        int[] labels = ids.clone();
        Arrays.fill(labels, 0, DIGITS + 1, Example.IGNORED);
        return new Example(ids, labels, 0);
    }

    private static ModelConfig config() {
        return ModelConfig.of(
                JsonObject.of(
                        "model_type",
                        "llama",
                        "vocab_size",
                        MASK + 1,
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
                        2 * DIGITS,
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
