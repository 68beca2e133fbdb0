package io.github.panagrad.examples.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Learns a byte-level byte-pair encoding: the most frequent pair of neighbours becomes one symbol,
/// again and again.
///
/// Source: Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units"; on
/// bytes as in GPT-2 (Radford et al. 2019). The result does not depend on the order of the text:
/// ties go to the pair that sorts first.
public final class BytePairTrainer {
    /// Symbols with a meaning of their own; they take the first ids.
    static final List<String> SPECIAL = List.of("<pad>", "<s>", "</s>");

    /// How GPT-2 cuts text before pairs are counted; what reads the result cuts the same way.
    private static final Pattern WORD =
            Pattern.compile(
                    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+"
                            + "|\\s+(?!\\S)|\\s+",
                    Pattern.UNICODE_CHARACTER_CLASS);

    private final Map<String, Integer> words = new TreeMap<>();

    /// A learned encoding.
    ///
    /// @param vocabulary the id of each symbol, in the order of the ids
    /// @param merges pairs that become one symbol, the most important first
    public record Encoding(Map<String, Integer> vocabulary, List<Pair> merges) {}

    /// Two neighbours that become one symbol.
    public record Pair(String left, String right) implements Comparable<Pair> {
        private static final Comparator<Pair> ORDER =
                Comparator.comparing(Pair::left).thenComparing(Pair::right);

        String joined() {
            return left + right;
        }

        @Override
        public int compareTo(Pair other) {
            return ORDER.compare(this, other);
        }
    }

    /// Counts the words of a text.
    public void read(String text) {
        Matcher word = WORD.matcher(text);
        while (word.find()) {
            words.merge(word.group(), 1, Integer::sum);
        }
    }

    /// Learns from all that was read.
    ///
    /// @param size the most symbols to have: special ones, the 256 bytes, then merges while there
    ///     are pairs left that occur twice
    public Encoding learn(int size) {
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
        for (String special : SPECIAL) {
            vocabulary.put(special, vocabulary.size());
        }
        for (int value = 0; value < 256; value++) {
            vocabulary.put(symbol(value), vocabulary.size());
        }
        if (size < vocabulary.size()) {
            throw new IllegalArgumentException(
                    "bytePairs: a vocabulary of "
                            + size
                            + " has no room for the bytes; expected at least "
                            + vocabulary.size());
        }
        List<Word> pieces = new ArrayList<>();
        words.forEach((word, count) -> pieces.add(new Word(symbols(word), count)));
        List<Pair> merges = new ArrayList<>();
        while (vocabulary.size() < size) {
            Pair best = mostFrequent(pieces);
            if (best == null) {
                break;
            }
            merges.add(best);
            vocabulary.put(best.joined(), vocabulary.size());
            pieces.forEach(piece -> piece.merge(best));
        }
        return new Encoding(vocabulary, merges);
    }

    private static @Nullable Pair mostFrequent(List<Word> pieces) {
        Map<Pair, Integer> counts = new HashMap<>();
        for (Word piece : pieces) {
            for (int i = 1; i < piece.symbols.size(); i++) {
                counts.merge(
                        new Pair(piece.symbols.get(i - 1), piece.symbols.get(i)),
                        piece.count,
                        Integer::sum);
            }
        }
        return counts.entrySet().stream()
                .filter(entry -> entry.getValue() > 1)
                .max(
                        Map.Entry.<Pair, Integer>comparingByValue()
                                .thenComparing(Map.Entry.comparingByKey(Comparator.reverseOrder())))
                .map(Map.Entry::getKey)
                .orElse(null);
    }

    /// A distinct word of the text, as the symbols it has become so far.
    private static final class Word {
        final List<String> symbols;
        final int count;

        Word(List<String> symbols, int count) {
            this.symbols = symbols;
            this.count = count;
        }

        void merge(Pair pair) {
            for (int i = 1; i < symbols.size(); i++) {
                if (symbols.get(i - 1).equals(pair.left()) && symbols.get(i).equals(pair.right())) {
                    symbols.set(i - 1, pair.joined());
                    symbols.remove(i);
                }
            }
        }
    }

    private static List<String> symbols(String word) {
        List<String> symbols = new ArrayList<>();
        for (byte octet : word.getBytes(StandardCharsets.UTF_8)) {
            symbols.add(symbol(octet & 0xff));
        }
        return symbols;
    }

    /// Writes a byte as GPT-2 does: as itself where it can be seen, else as one of the characters
    /// from U+0100 on, in order.
    static String symbol(int value) {
        if (visible(value)) {
            return String.valueOf((char) value);
        }
        int hidden = 0;
        for (int before = 0; before < value; before++) {
            if (!visible(before)) {
                hidden++;
            }
        }
        return String.valueOf((char) (0x100 + hidden));
    }

    private static boolean visible(int value) {
        return (value >= '!' && value <= '~')
                || (value >= 0xa1 && value <= 0xac)
                || (value >= 0xae && value <= 0xff);
    }
}
