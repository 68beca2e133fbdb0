package io.github.panagrad.nn.objective;

import io.github.panagrad.nn.data.Batch;
import io.github.panagrad.nn.data.Example;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Log-probabilities that a model once gave to examples, by their content: an example has the same
/// score wherever it stands in the data, and another one as soon as a token or label changes.
public final class ScoreCache {
    private final Map<String, Double> scores = new ConcurrentHashMap<>();

    /// Creates an empty cache.
    public ScoreCache() {}

    /// Returns the key of a sequence of a batch.
    public static String key(Batch batch, Batch.Sequence sequence) {
        int from = sequence.row() * batch.length() + sequence.start();
        return key(batch.ids(), batch.labels(), from, sequence.length());
    }

    /// Returns the key of an example.
    public static String key(Example example) {
        return key(example.inputIds(), example.labels(), 0, example.length());
    }

    private static String key(int[] ids, int[] labels, int from, int length) {
        ByteBuffer content = ByteBuffer.allocate(2 * Integer.BYTES * length);
        content.putInt(ids[from]);
        // Nothing predicts the first token, whatever its label says.
        content.putInt(Example.IGNORED);
        for (int i = from + 1; i < from + length; i++) {
            content.putInt(ids[i]).putInt(labels[i]);
        }
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(content.array());
            return HexFormat.of().formatHex(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /// Returns a score, or null if there is none yet.
    public @Nullable Double find(String key) {
        return scores.get(key);
    }

    /// Keeps a score.
    public void put(String key, double score) {
        scores.put(key, score);
    }

    /// Returns how many scores there are.
    public int size() {
        return scores.size();
    }
}
