package io.github.panagrad.nn.data;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// Examples, and what happened to them while they were read.
///
/// @param examples the examples, in file order
/// @param truncated how many rows were cut to the longest length allowed
/// @param dropped how many rows predicted nothing and were left out
public record Dataset(List<Example> examples, int truncated, int dropped) {
    /// Copies the list.
    public Dataset {
        examples = List.copyOf(examples);
    }

    /// Makes a data set of examples that are there already.
    public static Dataset of(List<Example> examples) {
        return new Dataset(examples, 0, 0);
    }

    /// Returns the number of examples.
    public int size() {
        return examples.size();
    }

    /// Returns the number of tokens.
    public long tokens() {
        return examples.stream().mapToLong(Example::length).sum();
    }

    /// Returns the number of tokens that are predicted.
    public long predicted() {
        return examples.stream().mapToLong(Example::predicted).sum();
    }

    /// Returns the length of the longest example; 0 without any.
    public int longest() {
        return examples.stream().mapToInt(Example::length).max().orElse(0);
    }

    /// Returns the data set with all examples tagged alike.
    public Dataset withTag(int tag) {
        return new Dataset(examples.stream().map(e -> e.withTag(tag)).toList(), truncated, dropped);
    }

    /// Returns this data set followed by another.
    public Dataset concat(Dataset other) {
        var all = new ArrayList<Example>(examples);
        all.addAll(other.examples);
        return new Dataset(
                Collections.unmodifiableList(all),
                truncated + other.truncated,
                dropped + other.dropped);
    }
}
