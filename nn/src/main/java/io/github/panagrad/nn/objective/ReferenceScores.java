package io.github.panagrad.nn.objective;

import io.github.panagrad.engine.Ops;
import io.github.panagrad.engine.ground.PanagradException;
import io.github.panagrad.losses.Reduction;
import io.github.panagrad.nn.Context;
import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Example;
import io.github.panagrad.nn.io.JsonObject;
import io.github.panagrad.nn.io.Tokenizer;
import io.github.panagrad.nn.models.CausalLM;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/// What one model finds of answers: mean log-probabilities of their tokens, by the content of prompt
/// and answer, in a file.
///
/// The content is text, so models with other tokenizers can be compared. The file holds the same
/// bytes whatever the order in which scores came.
///
/// ```java
/// var scores = new ReferenceScores("zephyr-7b");
/// scores.score(model, Batches.of(data), keys);
/// scores.write(file);
/// ```
public final class ReferenceScores {
    private static final String MODEL = "model";
    private static final String SCORES = "scores";

    private final String model;
    private final ConcurrentSkipListMap<String, Score> scores = new ConcurrentSkipListMap<>();

    /// A score.
    ///
    /// @param mean mean log-probability of the answer's tokens, in nats
    /// @param tokens how many they are
    public record Score(double mean, int tokens) {}

    /// Creates an empty collection.
    ///
    /// @param model the name of the model whose scores these are
    public ReferenceScores(String model) {
        this.model = model;
    }

    /// Returns the key of a prompt with its answer: a hash of both.
    public static String key(String prompt, String answer) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            // The length keeps the border between the two.
            digest.update((prompt.length() + ":" + prompt).getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest.digest(answer.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /// Returns the key of an example: the texts of its prompt, the tokens before the first that
    /// counts, and of its answer.
    public static String key(Tokenizer tokenizer, Example example) {
        int[] ids = example.inputIds();
        int answer = example.promptLength();
        return key(
                tokenizer.decode(Arrays.copyOf(ids, answer), true),
                tokenizer.decode(Arrays.copyOfRange(ids, answer, ids.length), true));
    }

    /// Returns the name of the model.
    public String model() {
        return model;
    }

    /// Returns how many scores there are.
    public int size() {
        return scores.size();
    }

    /// Returns a score, or null if there is none.
    public @Nullable Score find(String key) {
        return scores.get(key);
    }

    /// Keeps a score; safe from many threads.
    ///
    /// @throws PanagradException if it is no log-probability, or another one is there already
    public void put(String key, Score score) {
        if (!(score.mean() <= 0 && score.mean() > Double.NEGATIVE_INFINITY) || score.tokens() < 1) {
            throw new PanagradException(
                    "scores", "no log-probability", score.toString(), "finite, at most 0", "");
        }
        Score before = scores.putIfAbsent(key, score);
        if (before != null && !before.equals(score)) {
            throw new PanagradException(
                    "scores",
                    "there is another score already, of " + key,
                    score.toString(),
                    before.toString(),
                    "start a new file for another model");
        }
    }

    /// Scores examples: the model is asked once for each key that has no score yet.
    ///
    /// Examples without a predicted token get none.
    ///
    /// @param keys the key of each example of the data, by its number
    public void score(CausalLM scorer, Iterable<Batch> batches, List<String> keys) {
        boolean wasTraining = scorer.isTraining();
        scorer.training(false);
        try {
            for (Batch batch : batches) {
                if (batch.sequences().stream()
                        .anyMatch(s -> !scores.containsKey(key(keys, s.example())))) {
                    Ops.scope(() -> Ops.noGrad(() -> scored(scorer, batch, keys)));
                }
            }
        } finally {
            scorer.training(wasTraining);
        }
    }

    private int scored(CausalLM scorer, Batch batch, List<String> keys) {
        var predicted = PredictedTokens.of(scorer, batch, Context.EMPTY);
        if (predicted.isEmpty()) {
            return 0;
        }
        double[] means = predicted.logProb(Reduction.MEAN).toDoubles();
        int[] tokens = new int[means.length];
        for (int owner : predicted.owners()) {
            if (owner >= 0) {
                tokens[owner]++;
            }
        }
        for (int i = 0; i < means.length; i++) {
            String key = key(keys, predicted.sequences().get(i).example());
            // The same example, elsewhere in the data or in another batch, differs by rounding.
            if (!scores.containsKey(key)) {
                put(key, new Score(Math.min(means[i], 0), tokens[i]));
            }
        }
        return means.length;
    }

    private static String key(List<String> keys, int example) {
        if (example >= keys.size()) {
            throw new PanagradException(
                    "scores",
                    "no key of example " + example,
                    keys.size() + " keys",
                    "one an example",
                    "");
        }
        return keys.get(example);
    }

    /// Returns the mean over references of each example's score.
    ///
    /// @param keys the keys of the examples, in the order of the data
    /// @throws PanagradException if there is no reference, or one lacks the score of an example
    public static double[] means(List<String> keys, ReferenceScores... references) {
        if (references.length == 0) {
            throw new PanagradException(
                    "scores", "no reference", "", "at least one", "score the data with one first");
        }
        double[] means = new double[keys.size()];
        for (int i = 0; i < means.length; i++) {
            for (ReferenceScores reference : references) {
                Score score = reference.find(keys.get(i));
                if (score == null) {
                    throw new PanagradException(
                            "scores",
                            "no score of example " + i + " by " + reference.model,
                            reference.size() + " scores",
                            "one of " + keys.get(i),
                            "score the data anew: the example may have changed since");
                }
                means[i] += score.mean() / references.length;
            }
        }
        return means;
    }

    /// Writes the scores to a JSON file, replacing it whole.
    public void write(Path file) {
        var entries = new TreeMap<String, Object>();
        scores.forEach((key, s) -> entries.put(key, List.of(s.mean(), (long) s.tokens())));
        JsonObject.of(MODEL, model, SCORES, JsonObject.of(entries)).write(file);
    }

    /// Reads what [#write] wrote.
    ///
    /// @throws PanagradException if the file is missing or is none
    public static ReferenceScores read(Path file) {
        JsonObject json = JsonObject.read(file);
        var read = new ReferenceScores(json.string(MODEL));
        JsonObject entries = json.object(SCORES);
        for (String key : entries.names()) {
            List<@Nullable Object> values = entries.list(key);
            if (values.size() != 2
                    || !(values.get(0) instanceof Number mean)
                    || !(values.get(1) instanceof Number tokens)) {
                throw entries.error(key, "is no score", "[mean, tokens]", "");
            }
            read.put(key, new Score(mean.doubleValue(), tokens.intValue()));
        }
        return read;
    }
}
