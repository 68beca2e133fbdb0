package io.github.panagrad.examples.demo;

import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Batches;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.CausalLM;
import io.github.panagrad.nn.objective.PerplexityWeighted;
import io.github.panagrad.nn.train.Objective;
import io.github.panagrad.nn.train.Objectives;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Learns solutions of problems in arithmetic, whose digits are few and badly predicted:
/// perplexity-weighted cross-entropy beside the plain one.
final class PerplexityWeightsDemo implements Demonstration {
    private static final String MODEL = "stories260k";
    private static final int LONGEST = 256;

    @Override
    public String name() {
        return "perplexity-weights";
    }

    @Override
    public List<String> shows() {
        return List.of("pwce");
    }

    @Override
    public String setting() {
        return "stories260k, all parameters, on solutions of GSM8K: the first 256 rows that take at"
                + " most 256 tokens, question and answer, answers counting; 40 steps of 4. Measured on"
                + " 40 test rows, digits and other tokens apart. The last arm weighs nothing and only"
                + " has twice the loss, as the weighted ones have.";
    }

    @Override
    public List<Claim> claims() {
        return List.of(
                Claim.lower("weighted, α 4", "loss of digits", "digits are predicted better"),
                Claim.lower("weighted, α 1", "loss of digits", "a weaker weight helps too"),
                Claim.lower("weighted, α 4", "loss of digits", "it is not only the larger loss")
                        .against("twice the loss"),
                Claim.lower("weighted, α 4", "loss of others", "other tokens lose less than 0.05")
                        .within(0.05));
    }

    @Override
    public int usualSeeds() {
        return 3;
    }

    @Override
    public void measure(Trial trial, Recorder figures) {
        Tokenizer tokenizer = trial.model(MODEL).tokenizer();
        List<Example> train = read(trial, tokenizer, "train", 256);
        List<Example> test = read(trial, tokenizer, "test", 40);
        Map<String, Function<CausalLM, Objective<Batch>>> arms = new LinkedHashMap<>();
        arms.put("cross-entropy", Objectives::nextToken);
        arms.put("weighted, α 1", PerplexityWeighted::of);
        arms.put("weighted, α 4", m -> PerplexityWeighted.of(m).alpha(4));
        arms.put("twice the loss", m -> PerplexityWeighted.of(m).alpha(0));
        arms.forEach((arm, objective) -> {
            CausalLM model = trial.model(MODEL);
            new TextTraining(trial.steps(40), 4, 2e-3)
                    .run(model, objective.apply(model), Batches.of(train), trial.seed());
            Map<Boolean, List<TokenScore>> byKind =
                    TokenScore.of(model, test).stream()
                            .collect(Collectors.partitioningBy(s -> isDigit(tokenizer, s.token())));
            List<TokenScore> digits = byKind.getOrDefault(true, List.of());
            figures.add(arm, "loss of digits", TokenScore.loss(digits));
            figures.add(arm, "digits right", TokenScore.accuracy(digits));
            figures.add(
                    arm, "loss of others", TokenScore.loss(byKind.getOrDefault(false, List.of())));
        });
    }

    /// Reads the first rows that are short enough, and no further.
    private static List<Example> read(Trial trial, Tokenizer tokenizer, String part, int rows) {
        Path file = trial.path("datasets/gsm8k/" + part + ".jsonl");
        try (Stream<String> lines = Files.lines(file)) {
            return lines.map(line -> JsonObject.parse(file.toString(), line))
                    .map(row ->
                            Stories.answered(
                                    tokenizer,
                                    row.string("question") + "\n",
                                    row.string("answer"),
                                    0))
                    .filter(example -> example.length() <= LONGEST)
                    .limit(trial.rows(rows))
                    .toList();
        } catch (IOException e) {
            throw new PanagradException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static boolean isDigit(Tokenizer tokenizer, int token) {
        String text = tokenizer.decode(new int[] {token}, false).strip();
        return !text.isEmpty() && text.chars().allMatch(Character::isDigit);
    }
}
