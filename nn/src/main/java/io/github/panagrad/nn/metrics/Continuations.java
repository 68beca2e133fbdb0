package io.github.panagrad.nn.metrics;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;

/// Figures of generated texts, taken as lists of words or tokens.
public final class Continuations {
    private Continuations() {}

    /// Splits a text into its words, lower case, without punctuation.
    public static List<String> words(String text) {
        return Arrays.stream(text.toLowerCase(Locale.ROOT).split("[^\\p{L}\\p{N}']+"))
                .filter(word -> !word.isEmpty())
                .toList();
    }

    /// Computes ROUGE-L: the harmonic mean of the shares that the longest common subsequence has of
    /// both; 0 where either is empty.
    ///
    /// Source: Lin 2004, ROUGE, section 3, with β = 1.
    public static <T> double rougeL(List<T> candidate, List<T> reference) {
        if (candidate.isEmpty() || reference.isEmpty()) {
            return 0;
        }
        return 2.0 * common(candidate, reference) / (candidate.size() + reference.size());
    }

    private static <T> int common(List<T> a, List<T> b) {
        int[] lengths = new int[b.size() + 1];
        for (T word : a) {
            int diagonal = 0;
            for (int j = 1; j <= b.size(); j++) {
                int above = lengths[j];
                lengths[j] =
                        word.equals(b.get(j - 1)) ? diagonal + 1 : Math.max(above, lengths[j - 1]);
                diagonal = above;
            }
        }
        return lengths[b.size()];
    }

    /// Computes distinct-n: the share of runs of n words that are there only once or for the first
    /// time, over all texts together; 0 without a run.
    ///
    /// Source: Li et al. 2016, A Diversity-Promoting Objective Function, arXiv 1510.03055, section 5.
    public static <T> double distinct(List<List<T>> texts, int n) {
        Checks.require("distinct", n > 0, "no words", n, "at least 1");
        var seen = new HashSet<List<T>>();
        int runs = 0;
        for (List<T> text : texts) {
            for (int i = 0; i + n <= text.size(); i++) {
                seen.add(List.copyOf(text.subList(i, i + n)));
                runs++;
            }
        }
        return runs == 0 ? 0 : seen.size() / (double) runs;
    }
}
